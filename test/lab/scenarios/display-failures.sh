# shellcheck shell=bash disable=SC2317,SC2154
# Sourced behind display-machine.sh: the hand-over made to fail at each step there and back, where $pattern wants it.
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
  [ "$1" = 0 ] && there && same_state && [ ! -e /tmp/mark ]
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

# What else a guest gets: with it too the screen goes dark first
wanted "the card cannot be kept awake" fails "power/control" 1 "$(realpath $B/$GPU/power/control)"
if grep -q '^nic' $PROFILE; then
  wanted "a function cannot be reset that way" fails "reset_method" 1 "$(realpath $B/0000:01:00.0/reset_method)"
  wanted "a function cannot be kept from D3cold" fails "d3cold_allowed" 1 "$(realpath $B/0000:01:00.0/d3cold_allowed)"
  wanted "the second node has no pages" fails "nr_hugepages" 1 /sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages
  wanted "interrupts stay where they are" fails "default_smp_affinity" 1 /proc/irq/default_smp_affinity
  wanted "workqueues stay where they are" fails "workqueue" 1 /sys/devices/virtual/workqueue/cpumask
  wanted "the governor stays" fails "scaling_governor" 1 /sys/devices/system/cpu/cpufreq/policy2/scaling_governor
  wanted "a setting of the kernel stays" fails "stat_interval" 1 /proc/sys/vm/stat_interval
  wanted "the user's last command fails" fails "prepare-last" 1 /usr/bin/test
fi

# A program that has the card and does not listen: it is killed, and does not come back
viewer() { # FILE: when it is asked to end, it only writes there
  cat >/usr/local/bin/viewer <<X
#!/usr/bin/python3
import signal
card = open("/dev/dri/card0")
signal.signal(signal.SIGTERM, lambda *_: open("$1", "a").close())
while True:
    signal.pause()
X
  chmod +x /usr/local/bin/viewer
  systemd-run --quiet --collect --unit=viewer viewer
  systemctl show -P MainPID viewer.service >/run/viewer.pid
  wait_for holds viewer /dev/dri/card0 && sed -i 's/2m/3s/; s/^display = yes/&\nprocesses = viewer/' $PROFILE
}
no_viewer() {
  sed -i '/^processes/d; s/3s/2m/' $PROFILE
  systemctl stop viewer.service 2>/dev/null
}
kills_viewer() {
  rm -f /tmp/asked
  viewer /tmp/asked && says "it is killed" 0 pp prepare && [ -e /tmp/asked ]
  result=$?
  no_viewer
  all_back $result
}
wanted "a program that does not listen is killed" kills_viewer
# The kernel keeps it: what writes to a file system that is frozen cannot be killed
kept_by_kernel() {
  truncate -s 8M /tmp/disk && mkfs.ext4 -q /tmp/disk && mkdir -p /tmp/frozen && mount /tmp/disk /tmp/frozen || return 1
  viewer /tmp/frozen/asked && fsfreeze -f /tmp/frozen && says "it is killed, but does not end" 1 pp prepare
  result=$?
  fsfreeze -u /tmp/frozen
  no_viewer
  umount /tmp/frozen
  rm /tmp/disk
  all_back $result
}
! grep -q '^nic' $PROFILE || wanted "a program that cannot be killed" kept_by_kernel

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
  spoil greetd.service '[Service]\nExecStop=sleep 1000\nTimeoutStopSec=20\n'
  sed -i 's/2m/5s/' $PROFILE
  # It is still being stopped when it is told to go on: its start waits for its end
  says "Cannot stop greetd.service: it has not ended within 5 s" 1 pp prepare
  result=$?
  mend greetd.service
  sed -i 's/5s/2m/' $PROFILE
  [ ! -e $JOURNAL ] && all_back $result
}
wanted "the display manager takes too long to stop" refuses_to_stop

# The way back: what fails stays on the list, and the next release does it
wanted "the sound card cannot be aimed at home at first" fails_back "$(realpath $B/$SOUND/driver_override)"
wanted "the card does not come back at first" fails_back /sys/bus/pci/drivers_probe
wanted "no unit comes back at first, and the timer stays" fails_back /usr/bin/systemctl
if grep -q '^nic' $PROFILE; then
  wanted "a function may not sleep again at first" fails_back "$(realpath $B/0000:01:00.0/d3cold_allowed)"
  wanted "the user's command on the way back fails at first" fails_back /usr/bin/ls
fi

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
  local qemu=$! before
  before=$(systemctl show -P ActiveEnterTimestampMonotonic passqemu-recover.service)
  # The timer only asks for the restart, and does not wait for it
  restarted() { [ "$(systemctl show -P ActiveEnterTimestampMonotonic passqemu-recover.service)" != "$before" ]; }
  wait_for over && wait_for restarted && journalctl -b --no-pager -u passqemu-recover.service | tail -n 5
  over && systemctl is-active passqemu-recover.service && kill -0 $qemu && bound $GPU vfio-pci && [ -e $JOURNAL ] && exits 3 systemctl is-active greetd.service
  result=$?
  kill $qemu
  wait $qemu
  all_back $result
}
wanted "the timer goes off and leaves a running guest alone" leaves_guest
