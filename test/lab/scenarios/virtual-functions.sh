#!/bin/bash
# lab: in=full tier=mid suite=bookworm sriov timeout=240
# lab: in=soak tier=mid suite=trixie sriov iommu=amd timeout=240
# A device with virtual functions: they are given, it is not as long as it has any, and it comes and goes when it has none.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
PF=0000:07:00.0
VF=0000:07:00.1

# The boot has left it to whoever wants it, so that the other drives have their names
[ -e $B/$PF/driver ] || echo $PF >/sys/bus/pci/drivers/nvme/bind
profile physical <<X
[devices]
pf = $PF
X
profile virtual <<X
[devices]
vf = $VF
X
profile other <<X
[devices]
vf = $VF
X
modprobe -a vfio-pci vfio_iommu_type1

state_before
check "without virtual functions it is taken" exits 0 passqemu prepare physical
check "it is on vfio-pci" bound $PF vfio-pci
check "it is given back" exits 0 passqemu release physical
check "it has its driver again" bound $PF nvme
check "all is as before" same_state

check "more than it can have are refused" says "can have 2 virtual functions, not 99" 1 passqemu sriov $PF 99
check "a try changes nothing" says "Would write 2 to sriov_numvfs" 0 passqemu sriov $PF 2 --dry-run
check "it has none" grep -qx 0 $B/$PF/sriov_numvfs
check "two are made" says "has 2 of 2 virtual functions now" 0 passqemu sriov $PF 2
check "it has two" grep -qx 2 $B/$PF/sriov_numvfs
check "another number is refused while there are any" says "makes others only where there are none" 1 passqemu sriov $PF 1
state_before
check "with virtual functions it is refused" says "2 virtual functions of it are enabled, there must be none" 1 passqemu prepare physical
check "its driver stays" bound $PF nvme
check "devices says so" says "cannot be passed now: $PF has 2 virtual functions enabled" 0 passqemu devices 07:00
check "a virtual function is taken" exits 0 passqemu prepare virtual
check "it is on vfio-pci, the device itself is not" bound $VF vfio-pci
check "the device keeps its driver" bound $PF nvme
check "a guest's one is not ended" says "guest virtual holds $VF" 1 passqemu sriov $PF 0
check "another guest is refused the same one" says "guest virtual holds it" 1 passqemu prepare other
check "the other virtual function is left alone" bound 0000:07:00.2 none
check "it is given back" exits 0 passqemu release virtual
check "it has no driver, as before" bound $VF none
check "all is as before" same_state
check "both are ended" says "has no virtual functions any more" 0 passqemu sriov $PF 0
check "neither is there" test ! -e $B/$VF
echo "# $SECONDS s"
finish
