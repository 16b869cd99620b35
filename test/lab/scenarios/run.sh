#!/bin/bash
# lab: in=soak tier=mid suite=bookworm,trixie timeout=500
# lab: in=soak tier=full suite=bookworm timeout=500
# passqemu run on real VFIO: a guest boots, sees its NIC and its drive (and reads a block from it), its threads sit on their CPUs, and
# the host is as it was when it ends: by itself, stopped, killed, its launcher killed, both killed; not as root; a plain user's too.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
nic=0000:01:00.0
drive=0000:02:00.0
second=0000:41:00.0
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
    sleep 0.2
  done
}
# recorded GUEST EXPRESSION: something of its record
recorded() { node -e 'const d = JSON.parse(require("fs").readFileSync(process.argv[1])); console.log(eval(process.argv[2]))' "/run/passqemu/$1.run" "$2"; }
qemu_of() { recorded "$1" d.qemu.pid; }
launcher_of() { recorded "$1" d.launcher.pid; }
start() { # start GUEST: in the background; its words go to /tmp/GUEST.log, its exit status to /tmp/GUEST.status
  rm -f "/tmp/$1.status"
  (
    passqemu run "$1" >"/tmp/$1.log" 2>&1
    echo $? >"/tmp/$1.status"
  ) &
  wait_for "$1 runs" sh -c "grep -q '^$1 runs' /tmp/$1.log || test -e /tmp/$1.status"
  grep -q "^$1 runs" "/tmp/$1.log" || sed 's/^/# /' "/tmp/$1.log"
}
ended() { # ended GUEST STATUS
  wait_for "the launcher of $1 has ended" test -e "/tmp/$1.status"
  is "$(cat "/tmp/$1.status")" "$2" || {
    cat "/tmp/$1.log"
    return 1
  }
}
allowed() { sed -n 's/^Cpus_allowed_list:\t//p' "/proc/$1/task/$2/status"; }
thread_of() { # thread_of GUEST VCPU
  passqemu monitor "$1" query-cpus-fast | node -e 'console.log(JSON.parse(require("fs").readFileSync(0))[process.argv[1]]["thread-id"])' "$2"
}
empty() { is "$(ls /run/passqemu)" lock; }

# What the nested guest runs: the image's own init, which reads the block before it is ready
mkdir -p /tmp/tree
cat >/tmp/read-block <<'X'
for disk in /dev/nvme?n1; do
  [ ! -e "$disk" ] || echo "GUEST block $(busybox dd if="$disk" bs=512 skip=7 count=1 2>/dev/null | busybox head -n 1)"
done
X
(cd /tmp/tree && busybox cpio -id </usr/local/lib/lab/initrd 2>/dev/null)
sed -i '/^echo "GUEST ready/e cat /tmp/read-block' /tmp/tree/init
check 'the guest will read a block' grep -q 'GUEST block' /tmp/tree/init
# The kernel unpacks one archive behind the other; the last file of a name counts
{
  cat /usr/local/lib/lab/initrd
  (cd /tmp/tree && echo init | busybox cpio -o -H newc 2>/dev/null)
} >/tmp/initrd
namespace=$(basename "$(ls -d $B/$drive/nvme/nvme*/nvme*n1)")
printf '%s\n' "$block" | dd of="/dev/$namespace" bs=512 seek=7 conv=notrunc,fsync status=none

profile boots <<X
[machine]
memory = 192M
accel = tcg
vcpus = 1
cpu = qemu64
kernel = /usr/local/lib/lab/vmlinux
initrd = /tmp/initrd
kernel-arguments = console=ttyS0 load=e1000e load=nvme quiet
rng = no
[firmware]
type = bios
[display]
type = none
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
X
for guest in bare nobody; do
  profile $guest <<X
[machine]
memory = 64M
accel = tcg
vcpus = 2
usb = no
rng = no
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
[devices]
nic = $nic
X
done
[ ! -d /run/systemd/system ] || virsh -c qemu:///system list >/dev/null 2>&1
# Modules stay once they are used
modprobe vfio-pci
state_before

check 'the command line is shown, and nothing changed' says "host=$nic" 0 passqemu run boots --dry-run
check 'everything is as before' same_state
begun=$SECONDS
start boots
check 'the guest comes up' wait_for 'GUEST ready' grep -q 'GUEST ready' /tmp/boots.serial
echo "# up after $((SECONDS - begun)) s"
grep -a GUEST /tmp/boots.serial | sed 's/^/# /' | head -n 20
check 'it sees the NIC' grep -aq 'GUEST net .* 52:54:00:aa:00:01' /tmp/boots.serial
check 'it sees the drive' grep -aq 'GUEST nvme .* *LABNVME0' /tmp/boots.serial
check 'it reads the block' grep -aq "GUEST block $block" /tmp/boots.serial
qemu=$(qemu_of boots)
check 'the vCPU sits on its CPU' is "$(allowed "$qemu" "$(thread_of boots 0)")" 3
check 'the emulator on its own' is "$(allowed "$qemu" "$qemu")" 2
if [ -d /run/systemd/system ]; then
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
check 'and unplugged' says 'is unplugged' 0 passqemu detach boots $second
check 'it is back' bound $second nvme
check 'a guest that does not listen is ended in time' exits 0 passqemu stop boots --timeout 2
check 'the launcher is content' ended boots 0
check 'everything is as before' same_state
check 'nothing is left but the lock' empty

start bare
qemu=$(qemu_of bare)
check 'a vCPU runs in real time' says 'SCHED_FIFO' 0 chrt -p "$(thread_of bare 1)"
kill -9 "$qemu"
check 'QEMU killed: the launcher gives everything back, and fails' ended bare 1
check 'it says why' grep -q 'ended by signal SIGKILL' /tmp/bare.log
check 'everything is as before' same_state
check 'nothing is left but the lock' empty

start nobody
qemu=$(qemu_of nobody)
check 'QEMU is nobody' is "$(sed -n 's/^Uid:\t//p' "/proc/$qemu/status" | cut -f2)" 65534
check 'and can gain nothing' is "$(sed -n 's/^NoNewPrivs:\t//p' "/proc/$qemu/status")" 1
check 'its vCPU sits on its CPU' is "$(allowed "$qemu" "$(thread_of nobody 0)")" 2
check 'a function is plugged in though QEMU is not root' says 'is plugged in' 0 passqemu attach nobody $drive
kill -9 "$(launcher_of nobody)"
check 'launcher killed: QEMU runs on' sh -c "sleep 1; test -d /proc/$qemu"
check 'recover leaves it alone' says 'nobody was left alone' 0 passqemu recover
check 'status says how it is' says 'its launcher was killed' 0 passqemu status nobody
check 'stop ends it and gives everything back' exits 0 passqemu stop nobody --force
check 'everything is as before' same_state
check 'nothing is left but the lock' empty

start nobody
qemu=$(qemu_of nobody)
kill -9 "$(launcher_of nobody)" "$qemu"
wait_for 'QEMU is gone' sh -c "! test -d /proc/$qemu"
check 'both killed: recover gives everything back' says 'nobody is released' 0 passqemu recover
check 'everything is as before' same_state
check 'nothing is left but the lock' empty

sed 's/^pins = .*/pins = 0-7 0-7/; s/^emulator.*//' /etc/passqemu/bare.ini | profile greedy
check 'all CPUs in real time are refused' says 'CPUs' 1 passqemu run greedy
check 'everything is as before' same_state

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
