#!/bin/bash
# lab: in=full tier=full suite=bookworm,trixie timeout=900 -- 10
# lab: in=full tier=mid suite=bookworm,trixie timeout=900 -- 9
# Kills prepare and release so many times each (first argument), at moments that a seed (second argument) chooses, in every
# kind of step at least once; after each kill the next passqemu makes the host what it was.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
kills=${1:-10}
seed=${2:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
echo "# $kills kills of each, seed $seed"

profile all <<'X'
[devices]
nic   = 0000:01:00.0
gpu   = 0000:04:00.0
audio = 0000:04:00.1
[memory]
hugepages = 2M
nodes = 0:64M 1:64M
[cpu]
guest = 2-3,6-7
governor = powersave
[knobs]
transparent-hugepages = never
stat-interval = 10s
[commands]
prepare-first = /usr/bin/touch /tmp/mark
prepare-last  = /usr/bin/test -e /tmp/mark
release-last  = /usr/bin/rm -f /tmp/mark
X
# With it nobody asks libvirt, whose daemon would be started for that
echo '<domain><name>all</name></domain>' >/tmp/all.xml

kinds=(affinities module hugepages driver irqs workqueues governor setting command)
case $LAB_TIER in
full) kinds+=(inhibit slice) ;;
*) kinds+=(partition) ;;
esac
state_before
node kill-everywhere.mjs all "$kills" "$seed" "$since" "${kinds[@]}"
