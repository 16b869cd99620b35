#!/bin/bash
# lab: in=soak tier=mid suite=bookworm,trixie timeout=400
# lab: in=full tier=full suite=trixie timeout=500
# Two guests with devices, pages and CPUs of their own, side by side: whatever the order, the one that stays keeps exactly what
# it would have alone, and the last one out leaves the host as it was. What one holds, no other gets.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh

profile a <<'X'
[devices]
nic = 0000:01:00.0
[memory]
hugepages = 2M
nodes = 0:64M 1:32M
[cpu]
guest = 2-3
governor = powersave
[knobs]
stat-interval = 10s
X
profile b <<'X'
[devices]
nvme = 0000:02:00.0
[memory]
hugepages = 2M
nodes = 0:32M
[cpu]
guest = 6-7
governor = powersave
[knobs]
stat-interval = 10s
transparent-hugepages = never
X
profile thief <<'X'
[devices]
nic = 0000:01:00.0
[cpu]
guest = 3,5
[knobs]
stat-interval = 20s
X
profile slow <<'X'
[devices]
audio = 0000:04:00.1
gpu = 0000:04:00.0
[commands]
prepare-first = /usr/bin/sleep 6
X
for guest in a b thief slow; do echo "<domain><name>$guest</name></domain>" >"/tmp/$guest.xml"; done
take() { passqemu prepare "$1" --domain "/tmp/$1.xml"; }
give() { passqemu release "$1"; }
dump() { state-dump.sh "$since" | grep -v '^state folder' >"/tmp/state.$1"; }
same_as() {
  dump now
  python3 state-diff.py "/tmp/state.$1" /tmp/state.now
}

modprobe -a vfio-pci vfio_iommu_type1
state_before
check "a is prepared" exits 0 take a
dump a
check "b beside it" exits 0 take b

# What belongs to one guest
check "a second claim on a device names its holder" says "guest a holds it" 1 take thief
check "on a CPU too" says "Cannot give CPU 3 to the guest: it belongs to a" 1 take thief
check "and on a value of the whole host" says "guest a holds it at 10" 1 take thief
check "release of the refused one does nothing" says "thief holds nothing" 0 give thief
for operation in stopped release; do
  check "$operation of the refused one by libvirt does nothing" \
    exits 0 /usr/local/lib/passqemu/qemu thief $operation end - </tmp/thief.xml
done
check "a still has it" bound 0000:01:00.0 vfio-pci
check "status tells of both" says "b: prepared" 0 passqemu status

# First in, first out
check "a is released" exits 0 give a
dump b
check "b's device stays" bound 0000:02:00.0 vfio-pci
check "a's device is home" bound 0000:01:00.0 e1000e
check "b is released" exits 0 give b
check "all is as before" same_state

# The other way round, each against what it would have alone
check "b is prepared" exits 0 take b
check "alone it has what it had when a had gone" same_as b
check "a beside it" exits 0 take a
check "b is released" exits 0 give b
check "a has what it had alone" same_as a
check "b is prepared again" exits 0 take b
check "b is released again: last in, first out" exits 0 give b
check "a has what it had" same_as a
check "a is released" exits 0 give a
check "all is as before, again" same_state

# At the same time
take a >/tmp/a.out 2>&1 &
first=$!
take b >/tmp/b.out 2>&1 &
second=$!
wait $first
check "one of two parallel prepares succeeds" is "$?" 0
wait $second
check "and so does the other" is "$?" 0
for guest in a b; do
  check "the journal of $guest is complete" grep -q '^{"t":"ready"' /run/passqemu/$guest.jsonl
done
# exec: the process that is named must be the one that we know
(exec passqemu prepare slow --domain /tmp/slow.xml) >/tmp/slow.out 2>&1 &
first=$!
sleep 3
give a >/tmp/a.out 2>&1 &
second=$!
give b >/tmp/b.out 2>&1 &
third=$!
wait $first
check "a slow prepare succeeds" is "$?" 0
wait $second
check "a release that waited for it too" is "$?" 0
wait $third
check "and another one" is "$?" 0
check "the waiting ones said for whom" grep -hE "Waiting for prepare of slow \(process $first\)" /tmp/a.out
check "slow is released" exits 0 give slow
check "all is as before, at last" same_state
echo "# $SECONDS s"
finish
