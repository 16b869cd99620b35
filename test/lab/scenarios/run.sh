#!/bin/bash
# lab: in=full tier=mid suite=trixie timeout=400 -- boots
# lab: in=soak tier=mid suite=bookworm,trixie timeout=900
# lab: in=soak tier=full suite=bookworm,trixie timeout=1500
# passqemu run on real VFIO: a guest boots, sees its NIC and its drive (and reads a block from it), its threads sit on their CPUs, a
# function is plugged in and out, it reboots and sleeps, and the host is as it was when it ends: by itself, stopped, killed, its launcher killed, both killed;
# not as root; a plain user's too. With systemd: its scope, and a unit that survives its launcher. With "boots" only the first of these.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
nic=0000:01:00.0
drive=0000:02:00.0
second=0000:41:00.0
stick=46f4:0001
block=passqemu-block-$RANDOM

# wait_for WHAT COMMAND [ARG ...]: until the command succeeds, two minutes at most
wait_for() {
  local what=$1 patience=$((SECONDS + 120))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$patience" ] || {
      echo "# waited in vain for: $what"
      return 1
    }
    sleep 0.5
  done
}
# of GUEST qemu|launcher: the number of its process, by its record
of() { sed -n "s/.*\"$2\":{\"pid\":\([0-9]*\).*/\1/p" "/run/passqemu/$1.run"; }
start() { # start GUEST: in the background; its words go to /tmp/GUEST.log, its exit status to /tmp/GUEST.status
  rm -f "/tmp/$1.status" "/tmp/$1.log"
  (
    passqemu run "$1" >"/tmp/$1.log" 2>&1
    echo $? >"/tmp/$1.status"
  ) &
  until grep -q "^$1 runs" "/tmp/$1.log" 2>/dev/null || [ -e "/tmp/$1.status" ]; do sleep 0.2; done
  grep -q "^$1 runs" "/tmp/$1.log" || sed 's/^/# /' "/tmp/$1.log"
}
ended() { # ended GUEST STATUS
  wait_for "the launcher of $1 has ended" test -e "/tmp/$1.status"
  is "$(cat "/tmp/$1.status")" "$2" || {
    cat "/tmp/$1.log"
    return 1
  }
}
gone() { ! test -d "/proc/$1"; }
allowed() { sed -n 's/^Cpus_allowed_list:\t//p' "/proc/$1/task/$2/status"; }
# thread_of QEMU NAME: the thread that QEMU calls so (debug-threads=on)
thread_of() {
  local task
  for task in "/proc/$1/task"/*; do [ "$(<"$task/comm")" != "$2" ] || basename "$task"; done
}
empty() { is "$(ls /run/passqemu)" lock; }
all_back() {
  check "$1: everything is as before" same_state
  check "$1: nothing is left but the lock" empty
}
systemd() { [ -d /run/systemd/system ]; }

# The drive gets the guest: a boot sector that reads block 7
namespace=$(basename "$(ls -d $B/$drive/nvme/nvme*/nvme*n1)")
put_drive_guest "/dev/$namespace" "$block"

modprobe vfio-pci
profile boots <<X
[machine]
memory = 64M
accel = tcg
vcpus = 1
usb = no
rng = no
[firmware]
type = bios
[display]
type = none
[agent]
enable = no
[serial]
type = file
path = /tmp/boots.serial
[memory]
hugepages = 2M
[cpu]
pins = 3
emulator = 2
guest = 2-3
[devices]
nic = $nic 8086:10d3
drive = $drive
[device nic]
rom-bar = no
X
# What nobody but root may open
install -m 600 /dev/null /root/system.raw
truncate -s 8M /root/system.raw
keyboard=/dev/input/$(basename "$(ls -d /sys/class/input/event* | head -n 1)")
for guest in bare nobody; do
  profile $guest <<X
[machine]
memory = 64M
accel = tcg
vcpus = 2
rng = no
stop-timeout = 2
$([ $guest = bare ] || echo user = nobody)
[firmware]
type = bios
[display]
type = none
[cpu]
pins = 2 3
emulator = 2-3
real-time = fifo
real-time-priority = 2
$([ $guest = bare ] || printf '%s\n' '[memory]' 'hugepages = 2M' '[disk system]' 'source = /root/system.raw' 'cache = writeback' '[input keys]' "path = $keyboard")
[devices]
nic = $nic
X
done
! systemd || virsh -c qemu:///system list >/dev/null 2>&1
# A first start warms what stays: /etc, slices, modules
passqemu run bare --dry-run >/dev/null
state_before

check 'the command line is shown' says "host=$nic" 0 passqemu run boots --dry-run
begun=$SECONDS
start boots
echo "# runs after $((SECONDS - begun)) s"
check 'the guest comes up' wait_for 'GUEST ready' grep -q 'GUEST ready' /tmp/boots.serial
echo "# up after $((SECONDS - begun)) s"
check 'it has started from the drive' grep -q 'GUEST booted' /tmp/boots.serial
check 'it reads the block' grep -q "GUEST block $block" /tmp/boots.serial
check 'it sees the NIC' grep -q 'GUEST nic' /tmp/boots.serial
qemu=$(of boots qemu)
for task in /proc/"$qemu"/task/*; do echo "# $(<"$task/comm") on $(allowed "$qemu" "${task##*/}")"; done
check 'the vCPU sits on its CPU' is "$(allowed "$qemu" "$(thread_of "$qemu" 'CPU 0/TCG')")" 3
check 'the emulator on its own' is "$(allowed "$qemu" "$qemu")" 2
if systemd; then
  check 'QEMU is in a scope of machine.slice' is "$(cut -d: -f3 "/proc/$qemu/cgroup")" /machine.slice/passqemu-boots.scope
else
  check 'QEMU is in the partition' is "$(cut -d: -f3 "/proc/$qemu/cgroup")" /machine
fi
check 'status tells of it' says 'boots: runs since' 0 passqemu status
check 'recover leaves it alone' says 'boots was left alone' 0 passqemu recover
check 'a second start is refused' says 'runs already' 1 passqemu run boots
check 'QMP answers' says '"running": true' 0 passqemu monitor boots query-status
check 'the human monitor too' says 'PCI device 8086:10d3' 0 passqemu monitor boots ':info pci'
check 'a function is plugged in' says 'is plugged in' 0 passqemu attach boots $second
check 'it is on vfio-pci' bound $second vfio-pci
check 'and it is unplugged' says 'is unplugged' 0 passqemu detach boots $second
check 'the host has it back' bound $second nvme
if [ "${1-}" != boots ]; then
  ready() { is "$(grep -c 'GUEST ready' /tmp/boots.serial)" "$1"; }
  passqemu monitor boots ':sendkey r'
  check 'the guest reboots itself' wait_for 'a second GUEST ready' ready 2
  check 'it says so' grep -q 'The guest reboots' /tmp/boots.log
  check 'it sees the NIC again' is "$(grep -c 'GUEST nic' /tmp/boots.serial)" 2
  check 'it is the same QEMU' is "$(of boots qemu)" "$qemu"
  check 'its vCPU sits where it sat' is "$(allowed "$qemu" "$(thread_of "$qemu" 'CPU 0/TCG')")" 3
  check 'the NIC is still on vfio-pci' bound $nic vfio-pci
  passqemu monitor boots ':sendkey s'
  check 'the guest sleeps' wait_for 'the word of status' sh -c 'passqemu status boots | grep -q sleeps'
  check 'status says what wakes it' says 'system_wakeup wakes it' 0 passqemu status boots
  passqemu monitor boots system_wakeup
  check 'woken up it is there again' wait_for 'a third GUEST ready' ready 3
  check 'its vCPU sits where it sat' is "$(allowed "$qemu" "$(thread_of "$qemu" 'CPU 0/TCG')")" 3
  passqemu monitor boots stop
  check 'status tells that it is paused' says 'it is paused' 0 passqemu status boots
  passqemu monitor boots cont
  passqemu monitor boots ':sendkey s'
  check 'it sleeps again' wait_for 'the word of status' sh -c 'passqemu status boots | grep -q sleeps'
fi
kill -INT "$(of boots launcher)"
check 'Ctrl-C asks the guest, which powers off: the launcher is content' ended boots 0
check 'it says so' grep -q 'The guest has shut down' /tmp/boots.log
all_back 'powered off'
[ "${1-}" != boots ] || finish

rm /tmp/boots.serial
passqemu run boots --dry-run >/tmp/paste.sh
sh /tmp/paste.sh >/tmp/paste.log 2>&1 &
pasted=$!
check 'what is printed works when it is pasted' wait_for 'GUEST ready' grep -q 'GUEST ready' /tmp/boots.serial
qemu=$(pgrep -f '^/usr/bin/qemu-system-x86_64 -name guest=boots')
check 'in the same place' is "$(cut -d: -f3 "/proc/$qemu/cgroup")" "$(systemd && echo /machine.slice/passqemu-boots.scope || echo /machine)"
printf '{"execute":"qmp_capabilities"}{"execute":"quit"}' | socat - UNIX-CONNECT:/run/passqemu/boots.qmp >/dev/null
wait $pasted
all_back 'pasted'

start bare
qemu=$(of bare qemu)
check 'a vCPU runs in real time' says 'SCHED_FIFO' 0 chrt -p "$(thread_of "$qemu" 'CPU 1/TCG')"
kill -9 "$qemu"
check 'QEMU killed: the launcher gives everything back, and fails' ended bare 1
check 'it says why' grep -q 'ended by signal SIGKILL' /tmp/bare.log
all_back 'QEMU killed'

start nobody
qemu=$(of nobody qemu)
check 'QEMU is nobody' is "$(sed -n 's/^Uid:\t//p' "/proc/$qemu/status" | cut -f2)" 65534
check 'and can gain nothing' is "$(sed -n 's/^NoNewPrivs:\t//p' "/proc/$qemu/status")" 1
check 'its vCPU sits on its CPU' is "$(allowed "$qemu" "$(thread_of "$qemu" 'CPU 0/TCG')")" 2
check 'its memory is huge pages' grep -q 'HugetlbPages:[[:space:]]*65536 kB' "/proc/$qemu/status"
check 'it has the disk of root' says '/root/system.raw' 0 passqemu monitor nobody ':info block'
check 'and the keyboard' sh -c "ls -l /proc/$qemu/fd | grep -q $keyboard"
check 'which are still of root' is "$(stat -c %u /root/system.raw "$keyboard" | tr '\n' ' ')" '0 0 '
check 'a function is plugged in though QEMU is not root' says 'is plugged in' 0 passqemu attach nobody $drive
check 'a USB device too' says 'is plugged in' 0 timeout 180 passqemu attach nobody $stick
check 'the guest has it as its own' says 'usb-host' 0 passqemu monitor nobody ':info qtree'
check 'and it is unplugged' says 'is unplugged' 0 passqemu detach nobody $stick
kill -9 "$(of nobody launcher)"
sleep 1
check 'launcher killed: QEMU runs on' test -d "/proc/$qemu"
check 'recover leaves it alone' says 'nobody was left alone' 0 passqemu recover
check 'status says how it is' says 'its launcher was killed' 0 passqemu status nobody
check 'stop ends it and gives everything back' exits 0 passqemu stop nobody
check 'as long as its profile has it' gone "$qemu"
all_back 'launcher killed'

start nobody
qemu=$(of nobody qemu)
kill -9 "$(of nobody launcher)" "$qemu"
wait_for 'QEMU is gone' gone "$qemu"
check 'both killed: recover gives everything back' says 'nobody is released' 0 passqemu recover
all_back 'both killed'

start bare
launcher=$(of bare launcher)
kill -INT "$launcher"
check 'Ctrl-C asks the guest' wait_for 'the words' grep -q 'Asked the guest to power down' /tmp/bare.log
check 'which need not listen' test -d "/proc/$(of bare qemu)"
check 'release by hand is refused meanwhile' says 'passqemu stop bare' 1 passqemu release bare
check 'and leaves no mark' sh -c "! passqemu status bare | grep pending"
kill -INT "$launcher"
check 'Ctrl-C again ends it' ended bare 0
all_back 'Ctrl-C twice'

start bare
kill -STOP "$(of bare qemu)"
launcher=$(of bare launcher)
for word in 'Asked the guest' 'Ending QEMU' 'killing it'; do
  kill -INT "$launcher"
  wait_for "$word" grep -q "$word" /tmp/bare.log
done
check 'a third time kills a QEMU that hears nothing' ended bare 0
all_back 'Ctrl-C thrice'

sed 's/^pins = .*/pins = 0-7 0-7/; s/^emulator.*//' /etc/passqemu/bare.ini | profile greedy
check 'all CPUs in real time are refused' says 'CPUs' 1 passqemu run greedy

if systemd; then
  check 'a unit is written' says 'Wrote /etc/systemd/system/passqemu-bare.service' 0 passqemu service bare
  check 'systemd starts it' exits 0 systemctl start passqemu-bare
  check 'it runs' wait_for 'bare' passqemu monitor bare query-status
  qemu=$(of bare qemu)
  check 'QEMU is in its scope' is "$(cut -d: -f3 "/proc/$qemu/cgroup")" /machine.slice/passqemu-bare.scope
  check 'systemctl stop ends it' exits 0 systemctl stop passqemu-bare
  check 'for good' gone "$qemu"
  all_back 'the unit stopped'
  check 'systemd starts it again' exits 0 systemctl start passqemu-bare
  check 'it runs' wait_for 'bare' passqemu monitor bare query-status
  qemu=$(of bare qemu)
  kill -9 "$(of bare launcher)"
  check 'the launcher killed: the unit fails' wait_for 'failed' systemctl is-failed --quiet passqemu-bare
  check 'it has ended the guest' gone "$qemu"
  systemctl reset-failed passqemu-bare
  check 'the unit is removed' says 'Removed' 0 passqemu service bare --remove
  all_back 'the launcher of the unit killed'
fi

mkdir -p /tmp/plain
printf '[machine]\nmemory = 32M\naccel = tcg\nusb = no\nrng = no\n[firmware]\ntype = bios\n[display]\ntype = none\n[knobs]\ninhibit-sleep = no\n' >/tmp/plain/own.ini
chown -R nobody /tmp/plain
plain() { setpriv --reuid nobody --regid nogroup --clear-groups env XDG_RUNTIME_DIR=/tmp/plain HOME=/tmp/plain passqemu "$@"; }
(
  plain run /tmp/plain/own.ini >/tmp/own.log 2>&1
  echo $? >/tmp/own.status
) &
check 'a plain user runs a guest' wait_for 'own runs' grep -q '^own runs' /tmp/own.log
check 'talks to it' says '"running": true' 0 plain monitor own query-status
check 'and stops it' says 'own is stopped' 0 plain stop own --force
check 'which was no failure' ended own 0
check 'everything is as before it all' same_state
finish
