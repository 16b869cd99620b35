#!/bin/bash
# lab: tier=full suite=bookworm,trixie iommu=intel gpu=none in=soak timeout=3600 -- . every
# The hand-over of the machine's only graphics card, made to fail at each step there and back, and killed with -9 at each line of the
# journal, there and back: what is made to fail (a pattern), and at which lines it is killed (numbers, or "every").
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
# shellcheck source=test/lab/scenarios/display-machine.sh
. ./display-machine.sh
pattern=${1:-^$}
kills=${*:2}
# shellcheck source=test/lab/scenarios/display-failures.sh
. ./display-failures.sh
finish
