#!/bin/bash
# lab: in=full tier=mid suite=bookworm mem=12G timeout=600
# lab: in=soak tier=mid suite=trixie mem=12G timeout=600
# Huge pages of both sizes on both nodes: what the kernel really does with its pools, and that each guest gives back exactly
# what it added, whatever other guests, the admin and kill -9 do meanwhile.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh

pool() { # pool NODE SIZE: "all free surplus", in pages
  local folder=/sys/devices/system/node/node$1/hugepages/hugepages-$2kB
  echo "$(<"$folder/nr_hugepages") $(<"$folder/free_hugepages") $(<"$folder/surplus_hugepages")"
}
set_pool() { echo "$3" >"/sys/devices/system/node/node$1/hugepages/hugepages-$2kB/nr_hugepages"; }
reserved() { cat "/sys/kernel/mm/hugepages/hugepages-$1kB/resv_hugepages"; }

# qemu GUEST NODE PAGES [off]: a QEMU that has so many pages of 2 MiB; with "off" it has them reserved only
qemu() {
  qemu-system-x86_64 -name "guest=$1,debug-threads=on" -S -nodefaults -display none -m $((2 * $3))M \
    -machine q35,accel=tcg,memory-backend=ram -pidfile "/tmp/$1.pid" -daemonize \
    -object "memory-backend-memfd,id=ram,hugetlb=on,hugetlbsize=2M,size=$((2 * $3))M,prealloc=${4:-on},host-nodes=$2,policy=bind"
}
end_qemu() {
  local pid
  pid=$(<"/tmp/$1.pid")
  kill -9 "$pid"
  while [ -e "/proc/$pid" ]; do sleep 0.1; done
}
mapped() { awk '/^HugetlbPages:/ { print $2 }' "/proc/$(<"/tmp/$1.pid")/status"; }
guest() { # guest NAME LINES...: a profile of memory alone
  local name=$1
  shift
  { printf '[memory]\n' && printf '%s\n' "$@" && printf '[knobs]\ninhibit-sleep = no\n'; } | profile "$name"
}
wait_for_pages() { # wait_for_pages NODE SIZE: until a prepare has got some
  local patience=$((SECONDS + 60))
  while [ "$(pool "$1" "$2")" = '0 0 0' ] && [ $SECONDS -lt $patience ]; do sleep 0.1; done
}

# What the kernel does: the ground that lib/steps/hugepages.ts stands on
set_pool 0 2048 100
qemu x 0 30
check 'HugetlbPages tells what a QEMU has mapped' is "$(mapped x)" 61440
set_pool 0 2048 10
check 'a pool below what is in use turns pages into surplus, and nr_hugepages shows them' is "$(pool 0 2048)" '30 0 20'
set_pool 0 2048 25
check 'growing takes pages out of surplus first, and makes none free' is "$(pool 0 2048)" '30 0 5'
set_pool 0 2048 40
check 'what is left of it makes new pages' is "$(pool 0 2048)" '40 10 0'
set_pool 0 2048 25
check 'shrinking takes the free ones first' is "$(pool 0 2048)" '30 0 5'
end_qemu x
check 'surplus pages leave the pool when they are freed' is "$(pool 0 2048)" '25 25 0'
qemu x 0 20 off
check 'a reservation is counted for the whole machine only' is "$(reserved 2048) $(pool 0 2048)" '20 25 25 0'
check 'and no page of it counts as mapped' is "$(mapped x)" 0
end_qemu x
set_pool 0 2048 1000000
check 'more than there is: success, and as much as there is' test "$(cut -d' ' -f1 <<<"$(pool 0 2048)")" -lt 4000
set_pool 0 2048 0
check 'a node compacts when told 1' sh -c 'echo 1 >/sys/devices/system/node/node0/compact'

state_before
# Two sizes, two nodes
guest big 'hugepages = 1G' 'nodes = 0:1G 1:1G' 'wait = 5s'
guest small 'hugepages = 2M' 'nodes = 0:64M 1:32M'
check 'prepare takes pages of 1 GiB on both nodes while the host runs' exits 0 passqemu prepare big
check 'node 0 has one' is "$(pool 0 1048576)" '1 1 0'
check 'node 1 has one' is "$(pool 1 1048576)" '1 1 0'
check 'prepare takes pages of 2 MiB beside them' exits 0 passqemu prepare small
check 'as many as each node was told' is "$(pool 0 2048), $(pool 1 2048)" '32 32 0, 16 16 0'
check 'release of the one' exits 0 passqemu release big
check 'leaves the other alone' is "$(pool 0 2048), $(pool 0 1048576)" '32 32 0, 0 0 0'
check 'release of the other' exits 0 passqemu release small
check 'everything is as before' same_state

# Promised, mapped, changed by the admin
set_pool 1 2048 20
guest a 'hugepages = 2M' 'nodes = 1:80M'
guest b 'hugepages = 2M' 'nodes = 1:100M'
check 'a takes only what free pages do not cover' exits 0 passqemu prepare a
check '20 of its 40 were there' is "$(pool 1 2048)" '40 40 0'
check 'b counts none of what a was promised as free' exits 0 passqemu prepare b
check 'so its 50 are all new' is "$(pool 1 2048)" '90 90 0'
qemu a 1 40
qemu b 1 50
check 'each QEMU finds its pages' is "$(pool 1 2048)" '90 0 0'
set_pool 1 2048 97
end_qemu a
check 'a gives back the 20 that it added, not what the admin did' exits 0 passqemu release a
check 'though the pool is another' is "$(pool 1 2048)" '77 27 0'
check 'b is still whole' is "$(mapped b)" 102400
check 'release of b while its QEMU runs gives back what is free and keeps the rest' says '23 pages of 2 MiB on node 1' 3 passqemu release b
check 'nothing that is in use left the pool' is "$(pool 1 2048)" '50 0 0'
end_qemu b
check 'the rest goes back when it has ended' exits 0 passqemu release b
check 'base and the change of the admin' is "$(pool 1 2048)" '27 27 0'
set_pool 1 2048 0

# Too few, and killed in the middle. Of the five pages of 1 GiB that arithmetic allows on a node of 6 GiB some are never in one piece
guest greedy 'hugepages = 1G' 'nodes = 0:5G' 'wait = 1s'
check 'what cannot be had is told in numbers' says 'of 5 pages of 1 GiB after 1 s' 1 passqemu prepare greedy
check 'and given back' is "$(pool 0 1048576)" '0 0 0'
guest vast 'hugepages = 2M' 'nodes = 0:7G'
check 'what arithmetic rules out is refused' says 'it needs 3584 pages of 2 MiB' 1 passqemu prepare vast
guest patient 'hugepages = 1G' 'nodes = 0:5G' 'wait = 100s'
passqemu prepare patient >/tmp/patient.log 2>&1 &
prepare=$!
wait_for_pages 0 1048576
kill -9 "$prepare"
wait "$prepare" 2>/dev/null
check 'a prepare that was killed while it waited has pages' test "$(pool 0 1048576)" != '0 0 0'
check 'another guest is prepared and released beside it' sh -c 'passqemu prepare b && passqemu release b'
check 'recover gives them back' exits 0 passqemu recover
check 'all of them' is "$(pool 0 1048576), $(pool 1 2048)" '0 0 0, 0 0 0'
check 'prepare of b' exits 0 passqemu prepare b
qemu stranger 1 30
passqemu release b >/tmp/release.log 2>&1 &
release=$!
patience=$((SECONDS + 60))
while [ "$(pool 1 2048)" != '30 0 0' ] && [ $SECONDS -lt $patience ]; do sleep 0.1; done
kill -9 "$release"
wait "$release" 2>/dev/null
end_qemu stranger
check 'a release that was killed while it waited is done by the next one' exits 0 passqemu release b
check 'everything is as before it all' same_state
finish
