#!/bin/bash
# lab: tier=full suite=bookworm,trixie iommu=intel gpu=none in=soak timeout=5400 -- . every moments
# The hand-over of the machine's only graphics card, with all that passqemu does for a guest around it: made to fail at each step there
# and back, and killed with -9 at each line of the journal, and at moments all over prepare and release: what is made to fail (a pattern),
# and at which lines it is killed (numbers, or "every"; "moments", or "moments=SEED").
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
# shellcheck source=test/lab/scenarios/display-machine.sh
. ./display-machine.sh
modprobe -a cpufreq_powersave loop
profile all <<X
[devices]
gpu = $GPU
sound = $SOUND
nic = 0000:01:00.0
[options]
keep-awake = all
reset-methods = nic:bus
[memory]
hugepages = 2M
nodes = 0:32M 1:32M
[cpu]
guest = 2-3
governor = powersave
[knobs]
stat-interval = 10s
[handover]
display = yes
units = music.service
timeout = 2m
[commands]
prepare-first = /usr/bin/touch /tmp/mark
release-last = /usr/bin/rm -f /tmp/mark
prepare-last = /usr/bin/test -e /tmp/mark
release-first = /usr/bin/ls /tmp
X
state-dump.sh "$since" >/tmp/state.before
pattern=${1:-^$}
kills=${*:2}
# shellcheck source=test/lab/scenarios/display-failures.sh
. ./display-failures.sh
# shellcheck source=test/lab/scenarios/display-holders.sh
. ./display-holders.sh
# shellcheck source=test/lab/scenarios/display-kills.sh
. ./display-kills.sh
finish
