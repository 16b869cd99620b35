#!/bin/bash
# lab: in=full tier=full suite=bookworm,trixie timeout=900 -- 4
# lab: in=soak tier=full suite=bookworm,trixie timeout=5400 -- 50
# Kills prepare and release with kill -9, so many times each (first argument), at moments spread over all lines of the journal and
# a random time behind each (seed: second argument). After each kill recover, and release where the guest was prepared already,
# must make the host what it was. With 50 or more every kind of step must have been hit, in its apply and in its undo: those that
# chance left out are aimed at. With 0 all are aimed at.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
rounds=${1:-4}
seed=${2:-$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')}
echo "# $rounds kills of each, seed $seed"

cpus=$([ -d /run/systemd/system ] && echo slice || echo partition)
profile all <<'X'
[devices]
nic   = 0000:01:00.0
gpu   = 0000:04:00.0
audio = 0000:04:00.1
[memory]
hugepages = 2M
nodes = 0:32M 1:32M
[cpu]
guest = 2-3
governor = powersave
[knobs]
stat-interval = 10s
[commands]
prepare-first = /usr/bin/touch /tmp/mark
release-last  = /usr/bin/rm -f /tmp/mark
X
printf '<domain type="qemu"><name>all</name></domain>' >/tmp/all.xml
modprobe cpufreq_powersave 2>/dev/null
state_before

# What a run without kills writes: how many lines each way
forget_vfio() { modprobe -r vfio_pci vfio_iommu_type1 2>/dev/null; }
forget_vfio
passqemu prepare all --domain /tmp/all.xml --quiet 2>/dev/null
there=$(grep -c . /run/passqemu/all.jsonl)
check "a prepare that nobody kills" grep -q ready /run/passqemu/all.jsonl
check "and its release" passqemu release all
check "change nothing" same_state
steps=$((there - 4))
# Where each kind begins in the journal
forget_vfio
passqemu prepare all --domain /tmp/all.xml --quiet 2>/dev/null
sed -n 's/^{"t":"do","i":\([0-9]*\).*"kind":"\([a-z]*\)".*/\1 \2/p' /run/passqemu/all.jsonl >/tmp/kinds
grep -n '^{"t":"do"' /run/passqemu/all.jsonl | cut -d: -f1 >/tmp/kind-lines
kind_count=$(grep -c . /tmp/kinds)
passqemu release all --quiet

: >/tmp/hits
# shellcheck disable=SC2317 # check calls it
round() { # round WHICH NUMBER: at a line of its own, and a moment behind it
  if [ "$1" = release ]; then
    kill_and_mend release $((there + 1 + ($2 * 37 + seed) % (steps + 1))) moment
  else
    kill_and_mend prepare $((2 + ($2 * 37 + seed) % (there - 1))) moment
  fi
}
# shellcheck disable=SC2317 # check calls it
kill_and_mend() { # kill_and_mend WHICH LINES moment|sync
  local which=$1 command=(passqemu "$1" all --quiet)
  forget_vfio
  if [ "$which" = release ]; then
    passqemu prepare all --domain /tmp/all.xml --quiet 2>/dev/null || return 1
  else
    command+=(--domain /tmp/all.xml)
  fi
  python3 kill-at-line.py "$2" "$which" "$3" "${command[@]}" >>/tmp/hits 2>/tmp/kill.err || {
    cat /tmp/kill.err
    return 1
  }
  passqemu recover --quiet >/tmp/mend.out 2>&1 || {
    cat /tmp/mend.out
    return 1
  }
  [ ! -e /run/passqemu/all.jsonl ] || passqemu release all --quiet || return 1
  same_state && [ "$(ls /run/passqemu)" = lock ]
}
# shellcheck disable=SC2317 # check calls it
aim() { # aim WHICH KIND: kills there until it was hit; every kill must be mended. The journal's first two lines are one sync of another
  # kind, and undo writes a few lines besides those of the steps
  local try row
  row=$(grep -n " $2\$" /tmp/kinds | head -n 1 | cut -d: -f1)
  [ -n "$row" ] || return 1
  for try in {0..15}; do
    ! grep -q "^$1 $2" /tmp/hits || return 0
    if [ "$1" = release ]; then
      kill_and_mend release $((kind_count - row - 1 + try)) sync || return 1
    else
      kill_and_mend prepare $(($(sed -n "${row}p" /tmp/kind-lines) - 2 + try)) sync || return 1
    fi
  done
  grep -q "^$1 $2" /tmp/hits
}
for n in $(seq "$rounds"); do
  check "prepare killed, $n: $(tail -n 1 /tmp/hits)" round prepare "$n"
  check "release killed, $n" round release "$n"
done
if [ "$rounds" -ge 50 ] || [ "$rounds" = 0 ]; then
  # Kernels before 6.2 only
  affinities=$(grep -o 'affinities$' /tmp/kinds | head -n 1)
  for kind in inhibit module hugepages driver $affinities $cpus irqs workqueues governor setting command; do
    check "prepare was killed in or behind $kind" aim prepare "$kind"
    check "release was killed in or behind $kind" aim release "$kind"
  done
fi
sort /tmp/hits | uniq -c | sed 's/^/# hit /'
finish
