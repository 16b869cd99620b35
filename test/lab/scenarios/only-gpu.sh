#!/bin/bash
# lab: tier=full suite=trixie iommu=intel gpu=none in=full timeout=900 -- 3 path.that
# lab: tier=full suite=trixie iommu=intel gpu=none in=soak timeout=1800 -- 3 VFIO.does.not 16
# lab: tier=full suite=bookworm,trixie iommu=intel gpu=none in=soak timeout=3600 -- 20
# lab: tier=full suite=bookworm,trixie iommu=intel gpu=none in=soak timeout=900 boot-gpu=virtio-vga -- 1
# lab: tier=full suite=bookworm,trixie iommu=intel in=soak timeout=900 -- 1
# The machine's only graphics card, with text consoles and a display manager on it (greetd, whose session paints the screen by
# modetest), and a sound card that a service has open: handed over, given to a QEMU, taken back; so many rounds (the first argument)
# and a rehearsal, then some failures and kills (the others). Where the machine has another graphics card, the host keeps that, and
# the sound card stays with it.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
# shellcheck source=test/lab/scenarios/display-machine.sh
. ./display-machine.sh
rounds=${1:-3}
profile shy <<X
[devices]
gpu = $GPU
X
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

somebody somebody tty5 'sleep 1000'
wait_for grep -D skip -qs '^SEAT=' /run/systemd/sessions/[0-9]*
if [ -n "$SOUND" ]; then
  check "somebody is logged in: refused" says "nobody must be logged in" 1 pp plan
else
  check "somebody is logged in before a text console, which another card can show" exits 0 pp plan
fi
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
ctrl_c() {
  (exec passqemu prepare all --domain /tmp/all.xml --rehearse --for 5m) >/tmp/ctrl-c 2>&1 &
  local typed=$!
  wait_for bound $GPU vfio-pci && wait_for grep -q '"t":"ready"' /run/passqemu/all.jsonl && kill -INT $typed && wait $typed && cat /tmp/ctrl-c && grep -q 'Everything is back as it was' /tmp/ctrl-c
}
check "Ctrl-C at a rehearsal gives everything back at once" ctrl_c
check "it is back" there
check "everything is as before that" same_state
story=/var/lib/passqemu/all.handover
check "its story outlives the boot" grep -q 'release: undone: start greetd.service again' $story

# Where another card is given, this display is not touched
if [ -z "$SOUND" ]; then
  profile extra <<X
[devices]
gpu = 0000:04:00.0
sound = 0000:04:00.1
[handover]
display = yes
X
  of_extra() { passqemu "$1" extra --domain /tmp/all.xml "${@:2}"; }
  painter=$(</run/paint.pid)
  check "the extra card: plan says which card keeps the display" says "$GPU ($driver) can keep the host's display" 0 of_extra plan
  printf '%s\n' "$said" | sed 's/^/# /'
  stops() { printf %s "$said" | grep -E 'greetd|text consoles off|end session'; }
  check "plan stops nothing for it" exits 1 stops
  check "it is handed over" of_extra prepare
  check "it is VFIO's" bound 0000:04:00.0 vfio-pci
  check "the display manager's session has not been touched" is "$(</run/paint.pid)" "$painter"
  check "it has its card" holds paint /dev/dri/card0
  check "the screen shows what it showed" same_screen before
  check "take the extra card back" passqemu release extra
  check "everything is as before the extra card" same_state
fi

# Some of the failures and kills (only-gpu-failures.sh has all), on the machine that is up
pattern=${2:-^$}
kills=${*:3}
# shellcheck source=test/lab/scenarios/display-failures.sh
. ./display-failures.sh
# shellcheck source=test/lab/scenarios/display-holders.sh
. ./display-holders.sh
# shellcheck source=test/lab/scenarios/display-kills.sh
. ./display-kills.sh
finish
