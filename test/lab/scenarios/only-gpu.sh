#!/bin/bash
# lab: tier=full suite=bookworm,trixie iommu=intel gpu=none in=soak timeout=900 -- 3 2
# lab: tier=full suite=bookworm,trixie iommu=intel gpu=none in=soak timeout=5400 -- 20 20
# The machine's only graphics card, with text consoles and a display manager on it (greetd, whose session paints the screen by
# modetest): handed over, given to a QEMU, taken back; so many rounds (first argument), then so many kills of each way (second).
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
rounds=${1:-3}
kills=${2:-2}
GPU=0000:00:04.0

since=$(sed 's/ .*//; s/\.//' /proc/uptime)
connector=$(modetest -M bochs-drm -c 2>/dev/null | awk '$3 == "connected" { print $1; exit }')
cat >/etc/greetd/config.toml <<X
[terminal]
vt = 7
[default_session]
command = "modetest -M bochs-drm -s $connector:1024x768"
user = "root"
X
ln -sf /lib/systemd/system/greetd.service /etc/systemd/system/display-manager.service
systemctl daemon-reload
painted() { # the session has the card
  for _ in $(seq 900); do
    fuser -s /dev/dri/card0 && return 0
    sleep 0.1
  done
  systemctl status greetd.service --no-pager
  loginctl list-sessions
  return 1
}
systemctl start greetd.service
check "the display manager has the card" painted

profile all <<X
[devices]
gpu = $GPU
[handover]
display = yes
timeout = 2m
X
profile shy <<X
[devices]
gpu = $GPU
X
check "the unit that recovers is installed" passqemu hooks install --quiet
printf '<domain type="qemu"><name>all</name></domain>' >/tmp/all.xml
state-dump.sh "$since" >/tmp/state.before
check "without the hand-over the start is refused, and told how" says "display = yes" 1 passqemu plan shy
check "plan says what is on the card" says "the text consoles can be on fb0" 0 passqemu plan all --domain /tmp/all.xml
check "plan stops the display manager" says "stop greetd.service" 0 passqemu plan all --domain /tmp/all.xml
check "plan says that no other card is left" says "No other graphics card has a driver" 0 passqemu plan all --domain /tmp/all.xml
passqemu plan all --domain /tmp/all.xml
check "plan changes nothing" same_state

# Somebody before a text console
systemd-run --quiet --unit=somebody -p PAMName=login -p User=root -p TTYPath=/dev/tty5 -p StandardInput=tty sleep 1000
for _ in $(seq 100); do grep -q '^SEAT=' /run/systemd/sessions/[0-9]* 2>/dev/null && break || sleep 0.1; done
check "somebody is logged in: refused" says "nobody must be logged in" 1 passqemu plan all --domain /tmp/all.xml
systemctl stop somebody.service

given() {
  timeout 60 qemu-system-x86_64 -accel tcg -m 64 -nodefaults -display none -S -monitor stdio \
    -device "vfio-pci,host=$GPU,rombar=0" <<<'info pci
quit' >/tmp/qemu.out 2>&1 && grep -q 'VGA controller' /tmp/qemu.out || {
    cat /tmp/qemu.out
    return 1
  }
}
for n in $(seq "$rounds"); do
  check "hand over, $n" passqemu prepare all --domain /tmp/all.xml -v
  grep -h ms /tmp/check.out | sed 's/^/# /'
  check "the card is VFIO's" bound $GPU vfio-pci
  check "the display manager is stopped" exits 3 systemctl is-active greetd.service
  [ "$n" -gt 1 ] || check "a QEMU gets the card" given
  check "take back, $n" passqemu release all -v
  grep -h ms /tmp/check.out | sed 's/^/# /'
  check "the display manager has the card again" painted
  check "everything is as before" same_state
done

check "a rehearsal" says "Everything is back as it was" 0 passqemu prepare all --domain /tmp/all.xml --rehearse --for 1s
check "the display manager has the card after it" painted
check "everything is as before the rehearsal" same_state
check "its story outlives the boot" grep -q 'release: undone: start greetd.service again' /var/lib/passqemu/all.handover

# Killed with the screen dark: the timer gives everything back
python3 kill-at-line.py 8 prepare passqemu prepare all --domain /tmp/all.xml --quiet
check "a timer watches" systemctl is-active passqemu-watchdog-all.timer
systemctl start passqemu-watchdog-all.service
check "it has given the card back" painted
check "and all else" same_state

# A display manager that does not run (a host without screen) is not started
systemctl stop greetd.service
check "hand over without anybody" passqemu prepare all --domain /tmp/all.xml --quiet
check "take back without anybody" passqemu release all --quiet
check "a display manager that did not run is not started" exits 3 systemctl is-active greetd.service
systemctl start greetd.service
check "by hand it starts" painted

# kill -9 in every step's reach, then recover
passqemu prepare all --domain /tmp/all.xml --quiet
there=$(grep -c . /run/passqemu/all.jsonl)
passqemu release all --quiet
painted
steps=$((there - 5))
# shellcheck disable=SC2317 # check calls it
round() { # round WHICH NUMBER
  which=$1
  if [ "$which" = release ]; then
    passqemu prepare all --domain /tmp/all.xml --quiet || return 1
    lines=$((there + 1 + $2 % (steps + 1)))
    set -- passqemu release all --quiet
  else
    lines=$((2 + $2 % (there - 1)))
    set -- passqemu prepare all --domain /tmp/all.xml --quiet
  fi
  python3 kill-at-line.py "$lines" "$which" "$@" >>/tmp/hits 2>/tmp/kill.err || {
    cat /tmp/kill.err
    return 1
  }
  passqemu recover --quiet >/tmp/mend.out 2>&1 || {
    cat /tmp/mend.out
    return 1
  }
  [ ! -e /run/passqemu/all.jsonl ] || passqemu release all --quiet || return 1
  painted && same_state
}
: >/tmp/hits
for n in $(seq "$kills"); do
  check "hand-over killed, $n" round prepare $((n * 5))
  check "taking back killed, $n" round release $((n * 5))
done
sort /tmp/hits | uniq -c | sed 's/^/# hit /'
finish
