#!/bin/bash
# lab: in=full tier=mid suite=trixie timeout=600
# lab: in=soak tier=mid suite=bookworm timeout=600
# Devices that somebody holds open, and writes that the kernel does not answer: nothing waits for ever, nothing is forced,
# all else goes back at once, and the rest when the cause is gone.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
# shellcheck source=test/lab/scenarios/journal.sh
. ./journal.sh
modprobe -a vfio-pci vfio_iommu_type1
pages=/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages

profile disk <<'Y'
[devices]
nvme = 0000:02:00.0
Y
profile desktop <<'Y'
[options]
device-timeout = 20s
[devices]
nic   = 0000:01:00.0
gpu   = 0000:04:00.0
audio = 0000:04:00.1
[memory]
hugepages = 2M
nodes = 0:32M
Y
profile sound <<'Y'
[devices]
audio = 0000:04:00.1
Y
state_before
sound=(/dev/snd/controlC*)

# Held by a process: refused before the first change, and named
exec 9<"${sound[0]}" 8<>/dev/nvme0n1
check "a disk that a process has open is refused, and the process named" \
  says "bash (process $$) has /dev/nvme0n1 open" 1 passqemu prepare disk
check "so is a sound card" says "bash (process $$) has ${sound[0]} open" 1 passqemu prepare desktop
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

# A write that hangs in the kernel: somebody opens the sound card after the last look, and its driver waits for the close
held_up openat 1 15 "$B/0000:04:00.1/driver/unbind" passqemu prepare desktop >/tmp/wedged.out 2>&1 &
prepare=$!
wait_until 60 writer_of desktop && wait_until 60 is_held_up "$writer"
exec 9<"${sound[0]}"
begun=$SECONDS
wait $prepare
status=$?
check "prepare fails with what could not be put back" is "$status" 3
check "it says which write was not answered" grep -F "the kernel has not answered for 20 s, writer process $writer still waits" /tmp/wedged.out
check "it ends soon after the deadline ($((SECONDS - begun)) s)" test $((SECONDS - begun)) -lt 30
check "the writer waits in the kernel" is "$(cut -d' ' -f3 "/proc/$writer/stat")" D
check "the other device is home" bound 0000:01:00.0 e1000e
check "the pages are back" is "$(cat $pages)" 0
check "status knows what is still out" says "bind 0000:04:00.1 to vfio-pci" 0 timeout 60 passqemu status desktop
check "release says that the writer still waits" says "the kernel has still not answered an earlier write (process $writer" 3 timeout 60 passqemu release desktop
check "recover says it too" says "(process $writer" 3 timeout 60 passqemu recover
check "the list of devices does not wait for it" exits 0 timeout 60 passqemu devices
check "nor does doctor, which names the writer" says "(process $writer) has /sys/bus/pci/drivers/snd_hda_intel/unbind open" 1 timeout 60 passqemu doctor
check "nor an ordinary user's" exits 1 timeout 60 setpriv --reuid=65534 --regid=65534 --clear-groups passqemu doctor --quiet
check "another guest is not held up" exits 0 timeout 60 passqemu prepare disk
check "and goes home" exits 0 timeout 60 passqemu release disk
check "the guest itself is refused" says "(process $writer" 3 timeout 60 passqemu prepare desktop
check "a guest that wants the device is told who has it" says "guest desktop holds it" 1 timeout 60 passqemu prepare sound
exec 9<&-
check "the write comes back when the holder ends" wait_until 20 test ! -e "/proc/$writer"
check "release gives back the rest" says "desktop is released" 0 passqemu release desktop
check "everything is as before the wedge" same_state

# The same on the way home: the write comes back after the deadline
check "the guest is prepared" exits 0 passqemu prepare desktop
held_up openat 1 30 "$B/0000:04:00.1/driver/unbind" passqemu release desktop >/tmp/wedged.out 2>&1
check "release says what is not back" is "$?" 3
check "and why" grep -F "the kernel has not answered for 20 s" /tmp/wedged.out
check "the other device is home all the same" bound 0000:01:00.0 e1000e
check "the pages are back all the same" is "$(cat $pages)" 0
check "status says that the release is pending" says "release pending" 0 passqemu status desktop
# The writer that the journal calls wedged: the devices behind it got another one
writer=$(sed -n 's/^{"t":"wedged".*"writer":{"pid":\([0-9]*\).*/\1/p' /run/passqemu/desktop.jsonl | tail -n 1)
check "the journal names the writer" test -e "/proc/$writer/stat"
check "the write comes back" wait_until 30 test ! -e "/proc/$writer"
check "recover does the rest" says "desktop is released" 0 passqemu recover
check "everything is as before the second wedge" same_state
finish
