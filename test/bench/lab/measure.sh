#!/bin/bash
# measure.sh ROUNDS PART...: runs the parts on this lab machine, whose times are lines "bench PART SIDE MICROSECONDS".
# Each part runs its sides one after the other in every round, so that all see the same machine.
# The folder of this script comes from outside the machine: what is measured must not wait for that
cp -r "$(dirname "$0")" /run/measure && cd /run/measure || exit 99
rounds=$1
shift
hook=/usr/local/lib/passqemu/qemu
mkdir -p /etc/passqemu
install -m 644 bench.ini /etc/passqemu/bench.ini
modprobe -a vfio-pci vfio_iommu_type1

fail() {
  echo "measure: $*" >&2
  exit 1
}

took() { # PART SIDE COMMAND [ARG ...]: must succeed
  part=$1
  side=$2
  shift 2
  begun=$EPOCHREALTIME
  "$@" || fail "$part: $side failed with $?: $*"
  ended=$EPOCHREALTIME
  echo "bench $part $side $((${ended/./} - ${begun/./}))"
}

call() { "$hook" bench "$@" - <domain.xml; }
bound() { [ "$(basename "$(readlink "/sys/bus/pci/devices/$1/driver")")" = "$2" ] || fail "$1 is not on $2"; }
taken() {
  bound 0000:01:00.0 vfio-pci
  bound 0000:02:00.0 vfio-pci
}
home() {
  bound 0000:01:00.0 e1000e
  bound 0000:02:00.0 nvme
}

# the hook for a guest that is not ours, and an operation that needs nothing of us, against a shell that does nothing
many() { for _ in {1..10}; do "$@"; done </dev/null; }
unmanaged() {
  took unmanaged nothing many sh -c :
  took unmanaged prepare many "$hook" other prepare begin -
  took unmanaged started many "$hook" other started begin -
  took unmanaged release many "$hook" other release end -
}

# taking and giving back by us, by a script for exactly this case, and what a node costs that does nothing
take_and_give_back() {
  took calls node node -e 0
  took calls bare-prepare sh ./bare.sh prepare
  taken
  took calls bare-release sh ./bare.sh release
  home
  took calls prepare call prepare begin
  taken
  took calls release call release end
  home
}

# every process that a call starts: lines "trace CALL STRACE-LINE"
traced() { # CALL GUEST OPERATION SUB-OPERATION
  strace -f -qq -s 200 -e trace=execve,clone,clone3,fork,vfork -o /tmp/trace "$hook" "$2" "$3" "$4" - <domain.xml ||
    fail "traced: $2 $3 failed with $?"
  sed "s/^/trace $1 /" /tmp/trace
}
processes() {
  traced unmanaged other prepare begin
  traced prepare bench prepare begin
  taken
  traced release bench release end
  home
}

# shellcheck source=test/bench/lab/virsh.sh
. ./virsh.sh
# shellcheck source=test/bench/lab/handover.sh
. ./handover.sh

for ((round = 0; round < rounds; round++)); do
  for one; do "$one"; done
done
