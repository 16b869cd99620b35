#!/bin/bash
# lab: tier=full suite=trixie iommu=intel gpu=none in=full timeout=900 -- 3 0
# lab: tier=full suite=bookworm,trixie iommu=intel gpu=none in=soak timeout=5400 -- 20 20
# lab: tier=full suite=bookworm,trixie iommu=intel gpu=none in=soak timeout=900 boot-gpu=virtio-vga -- 1 0
# lab: tier=full suite=bookworm,trixie iommu=intel in=soak timeout=900 -- 1 0
# The machine's only graphics card, with text consoles and a display manager on it (greetd, whose session paints the screen by
# modetest), and a sound card that a service has open: handed over, given to a QEMU, taken back; so many rounds (first
# argument) and a rehearsal, then every step made to fail, then so many kills of each way (second; none of both where that is 0). Where the machine
# has another graphics card, the host keeps that, and the sound card stays with it.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
rounds=${1:-3}
kills=${2:-2}
GPU=0000:00:04.0
SOUND=0000:04:00.0
[ ! -e $B/0000:04:00.1 ] || SOUND=

since=$(sed 's/ .*//; s/\.//' /proc/uptime)
[ -e /dev/dri/card0 ] || modprobe virtio_gpu
driver=$(driver $GPU)
drm=$(basename "$(readlink /sys/class/drm/card0/device/driver)")
connector=$(modetest -M "$drm" -c 2>/dev/null | awk '$3 == "connected" { print $1; exit }')
cat >/etc/greetd/config.toml <<X
[terminal]
vt = 7
[default_session]
command = "modetest -M $drm -s $connector:1024x768"
user = "root"
X
ln -sf /lib/systemd/system/greetd.service /etc/systemd/system/display-manager.service
cat >/etc/systemd/system/music.service <<X
[Unit]
StartLimitIntervalSec=0
[Service]
ExecStart=sh -c 'exec sleep infinity <>/dev/snd/pcmC0D0p'
Restart=always
RestartSec=1
X
systemctl daemon-reload
# On a starved machine the sound card may not have found its codec
for _ in 1 2 3; do
  [ -n "$SOUND" ] && [ ! -e /dev/snd/pcmC0D0p ] || break
  echo $SOUND >/sys/bus/pci/drivers/snd_hda_intel/unbind
  echo $SOUND >/sys/bus/pci/drivers/snd_hda_intel/bind
  sleep 2
done
wait_for() { # COMMAND ...: at most 150 s
  local until=$((SECONDS + 150))
  while ! "$@"; do
    [ $SECONDS -lt $until ] || return 1
    sleep 0.2
  done
}
there() { # the session has the card, and the service the sound
  wait_for fuser -s /dev/dri/card0 && { [ -z "$SOUND" ] || wait_for fuser -s /dev/snd/pcmC0D0p; } && return 0
  systemctl status greetd.service music.service --no-pager
  ls /dev/dri /dev/snd
  loginctl list-sessions
  return 1
}
# A text console that does not blink
printf '\033[?25lThe text console of %s\n' "$LAB_SUITE" >/dev/tty1
systemctl start greetd.service
[ -z "$SOUND" ] || systemctl start music.service
check "the display manager has the card, a service the sound" there

profile all <<X
[devices]
gpu = $GPU
${SOUND:+sound = $SOUND}
[handover]
display = yes
units = music.service
timeout = 2m
X
profile shy <<X
[devices]
gpu = $GPU
X
printf '<domain type="qemu"><name>all</name></domain>' >/tmp/all.xml
pp() { # OPERATION [ARG ...]: of the guest "all"
  operation=$1
  shift
  passqemu "$operation" all --domain /tmp/all.xml "$@"
}
check "the unit that recovers is installed" passqemu hooks install --quiet
state-dump.sh "$since" >/tmp/state.before
check "without the hand-over the start is refused, and told how" says "display = yes" 1 passqemu plan shy
pp plan >/tmp/plan
sed 's/^/# /' /tmp/plan
planned() { grep -q "$1" /tmp/plan; }
check "plan says what is on the card" planned "the text consoles can be on fb0"
check "plan stops the display manager" planned "stop greetd.service"
if [ -n "$SOUND" ]; then
  check "plan stops what plays on the card's sound function" planned "stop music.service"
  check "plan says that no other card is left" planned "No other graphics card has a driver"
else
  check "plan says which other card is left" planned "0000:04:00.0 (bochs-drm) can keep the host's display"
  check "the text consoles stay on it" exits 1 planned "take the text consoles off"
fi
if [ -d /sys/firmware/efi ]; then
  check "plan has nothing to say against the card's ROM" exits 1 planned "has been written to"
else
  check "plan says what the card's ROM is worth" planned "a copy that has been written to"
fi

# Somebody before a text console
systemd-run --quiet --unit=somebody -p PAMName=login -p User=root -p TTYPath=/dev/tty5 -p StandardInput=tty sleep 1000
wait_for grep -qs '^SEAT=' /run/systemd/sessions/[0-9]*
check "somebody is logged in: refused" says "nobody must be logged in" 1 pp plan
systemctl stop somebody.service

given() {
  timeout 60 qemu-system-x86_64 -accel tcg -m 64 -nodefaults -display none -S -monitor stdio \
    -device "vfio-pci,host=$GPU,rombar=0" ${SOUND:+-device "vfio-pci,host=$SOUND"} <<<'info pci
quit' >/tmp/qemu.out 2>&1 && grep -q 'VGA controller' /tmp/qemu.out || {
    cat /tmp/qemu.out
    return 1
  }
}
check "a picture of the screen" screen before
for n in $(seq "$rounds"); do
  check "hand over, $n" pp prepare -v
  grep -h ms /tmp/check.out | sed 's/^/# /'
  check "the card is VFIO's" bound $GPU vfio-pci
  [ -z "$SOUND" ] || check "so is its sound" bound "$SOUND" vfio-pci
  check "the display manager is stopped" exits 3 systemctl is-active greetd.service
  if [ "$n" = 1 ]; then
    check "a QEMU gets the card" given
    check "the screen shows something else" differs before
  fi
  check "take back, $n" passqemu release all -v
  grep -h ms /tmp/check.out | sed 's/^/# /'
  check "the display manager has the card again, and the music plays" there
  check "everything is as before" same_state
  check "the screen shows what it showed before" same_screen before
done

check "a rehearsal" says "Everything is back as it was" 0 pp prepare --rehearse --for 1s
printf '%s\n' "$said" | sed 's/^/# /'
check "the display manager has the card after it, and the music plays" there
check "everything is as before the rehearsal" same_state
story=/var/lib/passqemu/all.handover
check "its story outlives the boot" grep -q 'release: undone: start greetd.service again' $story

[ "$kills" != 0 ] || finish

# A rehearsal that ends the session which it was started in, because that has the card open
sed -i 's/^display = yes/&\nsessions = end/' /etc/passqemu/all.ini
rm $story
systemd-run --quiet --unit=somebody -p PAMName=login -p User=root -p TTYPath=/dev/tty5 -p StandardInput=tty -p StandardOutput=tty \
  sh -c 'exec 9</dev/dri/card0; passqemu prepare all --domain /tmp/all.xml --rehearse --for 1s; sleep 1000'
ended() { ! systemctl -q is-active somebody.service; }
check "a rehearsal ends the session that it was started in" wait_for ended
check "and outlives it" wait_for grep -qs 'undone: let the host sleep again' $story
check "the display manager has the card after that, and the music plays" there
check "everything is as before that" same_state
sed -i '/^sessions/d' /etc/passqemu/all.ini

# Every step that writes to the kernel, made to fail there and then: what it writes to is read-only
read_only() { mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"; }
# shellcheck disable=SC2317 # check calls it
fails_at() { # TEXT FILE [STATUS]: the start fails with that text, and all is as before, where the status is 3 after a release
  read_only "$2" || return 1
  says "$1" "${3:-1}" pp prepare
  result=$?
  umount "$2"
  [ ! -e /run/passqemu/all.jsonl ] || passqemu release all --quiet || return 1
  [ $result = 0 ] && there && same_state
}
console=$(grep -l 'frame buffer' /sys/class/vtconsole/*/name)
check "the console does not let go" fails_at "vtcon" "$(realpath "${console%/name}/bind")"
check "the card's driver does not let go" fails_at "Cannot unbind $GPU" "/sys/bus/pci/drivers/$driver/unbind"
check "VFIO does not take the card" fails_at "Cannot bind" /sys/bus/pci/drivers_probe 3
check "the sound card cannot be aimed" fails_at "driver_override" "$(realpath $B/$SOUND/driver_override)"
mkdir -p /run/systemd/system/greetd.service.d
printf '[Service]\nExecStop=sleep 1000\n' >/run/systemd/system/greetd.service.d/stays.conf
systemctl daemon-reload
sed -i 's/2m/5s/' /etc/passqemu/all.ini
# shellcheck disable=SC2317 # check calls it
refuses_to_stop() {
  # It is still being stopped when it is told to go on
  says "Cannot stop greetd.service: it has not ended within 5 s" 3 pp prepare
  result=$?
  rm -r /run/systemd/system/greetd.service.d
  systemctl daemon-reload
  sed -i 's/5s/2m/' /etc/passqemu/all.ini
  [ $result = 0 ] && passqemu release all
  there && same_state && [ $result = 0 ]
}
check "the display manager refuses to stop" refuses_to_stop
# The way back: what fails stays on the list, and the next release does it
# shellcheck disable=SC2317 # check calls it
fails_back() {
  pp prepare --quiet && read_only /sys/bus/pci/drivers_probe || return 1
  says "still not back" 3 passqemu release all
  result=$?
  umount /sys/bus/pci/drivers_probe
  [ $result = 0 ] && passqemu release all --quiet && there && same_state
}
check "the card does not come back at first" fails_back

# Killed with the screen dark: the timer gives everything back
python3 kill-at-line.py 8 prepare sync passqemu prepare all --domain /tmp/all.xml --quiet >/tmp/kill.out
check "a timer watches" systemctl is-active passqemu-watchdog-all.timer
systemctl start passqemu-watchdog-all.service
check "it has given the card back" there
check "and all else" same_state

# Prepared as libvirt does it, and no QEMU comes: the same, as soon as libvirt's two minutes are over
hook() { /usr/local/lib/passqemu/qemu all "$@" - </tmp/all.xml; }
check "libvirt's hook hands over" hook prepare begin
check "recover leaves alone what libvirt has just prepared" exits 0 passqemu recover --quiet
check "the card is VFIO's still" bound $GPU vfio-pci
if [ "$rounds" -gt 3 ]; then
  sleep 90
else
  date -s '+130 seconds' >/dev/null
  systemctl start passqemu-watchdog-all.service
fi
check "the timer gives it back" wait_for bound $GPU "$driver"
check "the display manager has its card, and the music plays" there
check "the guest that never came has nothing" exits 1 test -e /run/passqemu/all.jsonl
check "everything is as it was" same_state

# A display manager that does not run (a host without screen) is not started
systemctl stop greetd.service
check "hand over without anybody" pp prepare --quiet
check "take back without anybody" passqemu release all --quiet
check "a display manager that did not run is not started" exits 3 systemctl is-active greetd.service
systemctl start greetd.service
check "by hand it starts" there

# kill -9 at each line of the journal (every step's), then recover
pp prepare --quiet
lines_there=$(grep -c . /run/passqemu/all.jsonl)
steps=$(grep -c '"t":"do"' /run/passqemu/all.jsonl)
passqemu release all --quiet
there
# shellcheck disable=SC2317 # check calls it
round() { # round WHICH NUMBER
  which=$1
  if [ "$which" = release ]; then
    pp prepare --quiet || return 1
    lines=$((steps * $2 / kills))
    set -- passqemu release all --quiet
  else
    lines=$(((lines_there - 3) * $2 / kills + 2))
    set -- passqemu prepare all --domain /tmp/all.xml --quiet
  fi
  python3 kill-at-line.py "$lines" "$which" sync "$@" >>/tmp/hits 2>/tmp/kill.err || {
    cat /tmp/kill.err
    return 1
  }
  passqemu recover --quiet >/tmp/mend.out 2>&1 || {
    cat /tmp/mend.out
    return 1
  }
  [ ! -e /run/passqemu/all.jsonl ] || passqemu release all --quiet || return 1
  there && same_state
}
: >/tmp/hits
for n in $(seq "$kills"); do
  check "hand-over killed, $n" round prepare "$n"
  check "taking back killed, $n" round release "$n"
done
sort /tmp/hits | uniq -c | sed 's/^/# hit /'
finish
