# shellcheck shell=bash disable=SC2317,SC2154
# Sourced behind display-machine.sh: the hand-over made to fail at each step there and back, where $pattern wants it, and killed with -9
# at the lines of the journal that $kills names: numbers, "every", or none.
JOURNAL=/run/passqemu/all.jsonl
PROFILE=/etc/passqemu/all.ini
wanted() { # NAME FUNCTION [ARG ...]: the check, where the pattern wants it
  [[ $1 =~ $pattern ]] || return
  local begun=$SECONDS
  check "$@"
  echo "# $((SECONDS - begun)) s"
}

all_back() { # STATUS of what has been tried; where something is still held, release gives it back
  [ ! -e $JOURNAL ] || passqemu release all --quiet || return 1
  [ "$1" = 0 ] && there && same_state
}
# What a step writes to is read-only; the program that it calls fails; the unit lets nobody stop it
spoil() {
  case $1 in
  *.service)
    mkdir -p "/run/systemd/system/$1.d"
    printf '%b' "$2" >"/run/systemd/system/$1.d/spoilt.conf"
    systemctl daemon-reload
    ;;
  /usr/*) mount --bind /bin/false "$1" ;;
  *) mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" ;;
  esac
}
mend() {
  case $1 in
  *.service)
    rm -r "/run/systemd/system/$1.d"
    systemctl daemon-reload
    ;;
  *) umount "$1" ;;
  esac
}
fails() { # TEXT STATUS WHAT [HOW]: the start says that and ends so, and all is back
  spoil "$3" "${4:-}" || return 1
  says "$1" "$2" pp prepare
  result=$?
  mend "$3"
  all_back $result
}
fails_back() { # WHAT: release says that something is not back; the next one gives it back
  pp prepare --quiet && spoil "$1" || return 1
  says "still not back" 3 passqemu release all
  result=$?
  mend "$1"
  [ -e $JOURNAL ] && all_back $result
}
console=$(grep -l 'frame buffer' /sys/class/vtconsole/*/name)
console=$(realpath "${console%/name}/bind")
NO_STOP='[Unit]\nRefuseManualStop=yes\n'

# There. The module first: it is loaded only once
wanted "VFIO's module cannot be loaded" fails "vfio_pci" 1 "$(realpath /usr/sbin/modprobe)"
goes_on() {
  spoil /usr/bin/systemd-run && spoil /usr/bin/systemd-inhibit || return 1
  says "Nothing gives the display back by itself" 0 pp prepare
  result=$?
  mend /usr/bin/systemd-run
  mend /usr/bin/systemd-inhibit
  [ $result = 0 ] && says "The host may sleep" 0 printf %s "$said"
  all_back $?
}
wanted "no timer and no inhibitor are no reason against a start" goes_on
wanted "the display manager is not stopped" fails "Cannot stop greetd.service" 1 greetd.service "$NO_STOP"
wanted "the sound's unit is not stopped" fails "Cannot stop music.service" 1 music.service "$NO_STOP"
leaves_processes() {
  spoil music.service '[Service]\nKillMode=none\n'
  says "it still has processes" 1 pp prepare
  result=$?
  mend music.service
  # The one left behind has the sound, which the new one waits for; a restart ends both
  systemctl restart music.service
  all_back $result
}
wanted "the sound's unit leaves its processes behind" leaves_processes
wanted "the console does not let go" fails "vtcon" 1 "$console"
wanted "the card cannot be aimed at VFIO" fails "driver_override" 1 "$(realpath $B/$GPU/driver_override)"
wanted "the card's driver does not let go" fails "Cannot unbind $GPU" 1 "/sys/bus/pci/drivers/$driver/unbind"
wanted "VFIO does not take the card" fails "Cannot bind" 3 /sys/bus/pci/drivers_probe
wanted "the sound card cannot be aimed at VFIO" fails "driver_override" 1 "$(realpath $B/$SOUND/driver_override)"
wanted "the sound's driver does not let go" fails "Cannot unbind $SOUND" 1 /sys/bus/pci/drivers/snd_hda_intel/unbind

# A session that holds the card does not end, whoever asks
stays() {
  somebody alice tty5 'exec 9</dev/dri/card0; sleep 1000'
  somebody bob tty6 'sleep 1000'
  # Behind the names of the sessions there are FIFOs
  two() { [ "$(grep -D skip -ls '^TTY=tty[56]' /run/systemd/sessions/* | wc -l)" = 2 ]; }
  wait_for two && says ") and root (session" 1 pp plan
  result=$?
  sed -i 's/^display = yes/&\nsessions = end/; s/2m/3s/' $PROFILE
  spoil /usr/bin/loginctl
  [ $result = 0 ] && says "Cannot end session" 1 pp prepare
  result=$?
  mend /usr/bin/loginctl
  sed -i '/^sessions/d; s/3s/2m/' $PROFILE
  systemctl is-active alice.service bob.service || result=1
  systemctl stop alice.service bob.service
  all_back $result
}
wanted "one of two people logged in does not go" stays
refuses_to_stop() {
  spoil greetd.service '[Service]\nExecStop=sleep 1000\n'
  sed -i 's/2m/5s/' $PROFILE
  # It is still being stopped when it is told to go on
  says "Cannot stop greetd.service: it has not ended within 5 s" 3 pp prepare
  result=$?
  mend greetd.service
  sed -i 's/5s/2m/' $PROFILE
  # Its start waits for its end, and gets the 5 s of the journal on each try
  [ ! -e $JOURNAL ] || wait_for passqemu release all --quiet || result=1
  all_back $result
}
wanted "the display manager takes too long to stop" refuses_to_stop

# The way back: what fails stays on the list, and the next release does it
wanted "the sound card cannot be aimed at home at first" fails_back "$(realpath $B/$SOUND/driver_override)"
wanted "the card does not come back at first" fails_back /sys/bus/pci/drivers_probe
wanted "no unit comes back at first, and the timer stays" fails_back /usr/bin/systemctl

# A rehearsal that ends the session which it was started in, because that has the card open
moves_out() {
  story=/var/lib/passqemu/all.handover
  rm -f $story
  sed -i 's/^display = yes/&\nsessions = end/' $PROFILE
  somebody somebody tty5 'exec 9</dev/dri/card0; passqemu prepare all --domain /tmp/all.xml --rehearse --for 1s; sleep 1000'
  ended() { ! systemctl -q is-active somebody.service; }
  wait_for ended && wait_for grep -qs 'undone: let the host sleep again' $story
  result=$?
  sed -i '/^sessions/d' $PROFILE
  all_back $result
}
wanted "a rehearsal outlives the session that it was started in" moves_out
# A host without screen
starts_nothing() {
  systemctl stop greetd.service
  pp prepare --quiet && passqemu release all --quiet && exits 3 systemctl is-active greetd.service
  result=$?
  systemctl start greetd.service
  all_back $result
}
wanted "a display manager that did not run is not started" starts_nothing

# Neither the timer is there nor what it has started
over() { ! compgen -G '/run/systemd/transient/passqemu-watchdog-all.*' >/dev/null; }
# Prepared as libvirt does it, and no QEMU comes: the timer gives everything back, all by itself
by_itself() {
  /usr/local/lib/passqemu/qemu all prepare begin - </tmp/all.xml || return 1
  passqemu recover --quiet
  # Too early: libvirt may still be starting it
  bound $GPU vfio-pci && systemctl is-active passqemu-watchdog-all.timer || return 1
  gone() { [ ! -e $JOURNAL ]; }
  # 130 s, and what giving back takes
  wait_for gone || wait_for gone && wait_for over || return 1
  systemctl show -p ExecMainStartTimestamp,Result passqemu-recover.service
  [ "$(systemctl show -P Result passqemu-recover.service)" = success ] && all_back 0
}
wanted "the timer goes off by itself" by_itself
# The same, and a QEMU runs: what the timer starts leaves the guest alone
leaves_guest() {
  /usr/local/lib/passqemu/qemu all prepare begin - </tmp/all.xml || return 1
  qemu-system-x86_64 -name guest=all -accel tcg -m 64 -nodefaults -display none -S -device "vfio-pci,host=$GPU,rombar=0" &
  local qemu=$!
  wait_for over && journalctl -b --no-pager -u passqemu-recover.service | tail -n 5
  over && systemctl is-active passqemu-recover.service && kill -0 $qemu && bound $GPU vfio-pci && [ -e $JOURNAL ] && exits 3 systemctl is-active greetd.service
  result=$?
  kill $qemu
  wait $qemu
  all_back $result
}
wanted "the timer goes off and leaves a running guest alone" leaves_guest

# One hand-over, and then releases, each killed as soon as its first undo is written down (the third sync), until all is back
killed_back() {
  pp prepare --quiet || return 1
  # Not the timer, which would do it too
  systemctl stop passqemu-watchdog-all.timer
  for _ in $(seq 40); do
    [ -e $JOURNAL ] || break
    python3 kill-at-line.py 3 release sync passqemu release all --quiet >>/tmp/hits 2>&1
  done
  [ ! -e $JOURNAL ] && all_back 0
}
: >/tmp/hits
wanted "killed after each step of the way back" killed_back
sed 's/^/# /' /tmp/hits

# kill -9 of a hand-over at a line of the journal, as it is synced, then recover
killed() { # LINE
  hit=$(python3 kill-at-line.py "$1" prepare sync passqemu prepare all --domain /tmp/all.xml --quiet 2>&1)
  echo "$hit"
  passqemu recover --quiet || return 1
  if [ -e $JOURNAL ] && ! grep -q '"t":"ready"' $JOURNAL; then
    echo "recover has left something"
    return 1
  fi
  all_back 0
}
lines=$kills
[ "$kills" != every ] || lines=$(seq 100)
for line in $lines; do
  begun=$SECONDS
  check "killed at line $line of the journal" killed "$line"
  echo "# $hit: $((SECONDS - begun)) s"
  [[ $hit != *'ended before'* ]] || break
done
