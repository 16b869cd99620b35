#!/bin/bash
# lab: in=full tier=mid suite=bookworm,trixie timeout=240
# Devices that somebody holds open, and writes that the kernel does not answer: nothing waits for ever, nothing is forced,
# all else goes back at once, and the rest when the cause is gone.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
# shellcheck source=test/lab/scenarios/journal.sh
. ./journal.sh
modprobe -a vfio-pci vfio_iommu_type1

profile disk <<'Y'
[devices]
nvme = 0000:02:00.0
Y
profile desktop <<'Y'
[devices]
gpu   = 0000:04:00.0
audio = 0000:04:00.1
Y
profile two <<'Y'
[options]
device-timeout = 2s
[devices]
nic  = 0000:01:00.0
nvme = 0000:02:00.0
[memory]
hugepages = 2M
nodes = 0:32M
Y
state_before

# Held by a process: refused before the first change, and named
exec 9<>/dev/nvme0n1
check "a disk that a process has open is refused, and the process named" \
  says "bash (process $$) has /dev/nvme0n1 open" 1 passqemu prepare disk
exec 9>&-
sound=(/dev/snd/controlC*)
exec 9<"${sound[0]}" 8<>/dev/dri/card1
check "a sound card that a process has open is refused" says "bash (process $$) has ${sound[0]} open" 1 passqemu prepare desktop
check "and so is its graphics card, in the same breath" says "bash (process $$) has /dev/dri/card1 open" 1 passqemu prepare desktop
exec 9<&- 8>&-
check "nothing was changed" same_state

# A VFIO group that its user does not close: release must not pull the device away from under it
check "the disk is prepared" exits 0 passqemu prepare disk
group=$(readlink "$B/0000:02:00.0/iommu_group")
group=${group##*/}
exec 9<>"/dev/vfio/$group"
begun=$SECONDS
check "release says that the group is open" says "VFIO group $group is open" 1 passqemu release disk
check "it did not wait for long ($((SECONDS - begun)) s)" test $((SECONDS - begun)) -lt 30
check "the disk stays where its user has it" bound 0000:02:00.0 vfio-pci
check "status says that the release is pending" says "release pending" 0 passqemu status disk
check "recover leaves it alone while it is open" says "disk was left alone: VFIO group $group is open" 0 passqemu recover
check "a new prepare is refused meanwhile" says "VFIO group $group is open" 1 passqemu prepare disk
exec 9>&-
check "recover gives it back when the group is closed" says "disk is released" 0 passqemu recover
check "all is as before" same_state

# A write that does not come back: its writer is stopped, as the kernel would stop it
stop_writer() { # stop_writer ADDRESS COMMAND...: runs it, and stops its writer when the device's turn has come
  local address=$1 pid
  shift
  "$@" >/tmp/wedged.out 2>&1 &
  pid=$!
  wait_for_line two "\"target\":\"$address\"" $pid || return 1
  writer_of two
  kill -STOP "$writer"
  begun=$SECONDS
  wait $pid
  status=$?
}
stop_writer 0000:02:00.0 passqemu prepare two
check "prepare fails with what could not be put back" is "$status" 3
check "it says which write was not answered" grep -F "the kernel has not answered for 2 s, writer process $writer still waits" /tmp/wedged.out
check "it ends soon after the deadline ($((SECONDS - begun)) s)" test $((SECONDS - begun)) -lt 20
check "the other device is home" bound 0000:01:00.0 e1000e
check "the pages are back" is "$(cat /sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages)" 0
check "the journal keeps the device" says "bind 0000:02:00.0 to vfio-pci" 0 passqemu status two
check "release says that the writer still waits" says "the kernel has still not answered an earlier write (process $writer" 3 passqemu release two
check "recover says it too" says "(process $writer" 3 passqemu recover
check "another guest is not held up" exits 0 passqemu prepare desktop
check "and goes home" exits 0 passqemu release desktop
check "a guest that wants the device is refused and told who has it" says "guest two holds it" 1 passqemu prepare disk
kill -CONT "$writer"
check "release gives it back when the write has ended" exits 0 passqemu release two
check "everything is as before the wedge" same_state

# The same on the way home
check "the guest is prepared again" exits 0 passqemu prepare two
passqemu release two >/tmp/wedged.out 2>&1 &
pid=$!
until writer_of two && [ -d "/proc/$writer" ]; do kill -0 $pid 2>/dev/null || break; done
kill -STOP "$writer"
wait $pid
check "release says what is not back" is "$?" 3
check "and why" grep -F "the kernel has not answered for 2 s" /tmp/wedged.out
check "the pages are back all the same" is "$(cat /sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages)" 0
kill -CONT "$writer"
check "recover does the rest" says "two is released" 0 passqemu recover
check "everything is as before the second wedge" same_state

# A write that hangs in the kernel itself: the disk's file system is frozen after the checks, and the driver's removal waits for it
profile frozen <<'Y'
[options]
device-timeout = 2s
[devices]
nic  = 0000:01:00.0
nvme = 0000:02:00.0
[commands]
prepare-first = /usr/local/bin/freeze
Y
printf '#!/bin/sh\nmount /dev/nvme0n1 /mnt && echo x >/mnt/file && fsfreeze --freeze /mnt\n' >/usr/local/bin/freeze
chmod 755 /usr/local/bin/freeze
mkfs.ext4 -q /dev/nvme0n1
begun=$SECONDS
timeout 60 passqemu prepare frozen >/tmp/wedged.out 2>&1
status=$?
cat /tmp/wedged.out
ps -eo pid,stat,wchan:32,args | grep -E ' D|unbind' 
echo "STATUS $status $((SECONDS - begun))"
fsfreeze --unfreeze /mnt
umount /mnt
passqemu release frozen
same_state
finish
