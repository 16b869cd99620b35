#!/bin/bash
# lab: tier=mid suite=bookworm iommu=intel in=short timeout=500
# lab: tier=mid suite=trixie iommu=amd in=full timeout=500
# lab: tier=full suite=trixie iommu=intel in=full timeout=600
# lab: tier=full suite=bookworm iommu=intel in=soak timeout=600
# A NIC, an NVMe, a VGA+audio pair, a USB controller and a group of several functions go to vfio-pci and home again.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh

profile all <<'X'
[devices]
nic   = 0000:01:00.0 8086:10d3
nvme  = 0000:02:00.0
usb   = 0000:03:00.0
gpu   = 0000:04:00.0
audio = 0000:04:00.1
lan   = 0000:06:01.0
ehci  = 0000:06:02.0
far   = serial LABNVME1
[memory]
hugepages = 2M
nodes = 0:64M 1:64M
[cpu]
guest = 2-3,6-7
governor = powersave
[knobs]
transparent-hugepages = never
ksm = no
stat-interval = 10s
X
profile second <<'X'
[devices]
nic = 0000:01:00.0
X

for m in acpi-cpufreq cpufreq_powersave; do modprobe $m 2>/dev/null; done
# Asking libvirt for a guest starts its daemon by socket: that is not ours to compare
[ ! -d /run/systemd/system ] || virsh -c qemu:///system list >/dev/null 2>&1
state_before
check "devices --json tells of the NIC" json_has "d.devices.some((x) => x.address === '0000:01:00.0' && x.driver === 'e1000e' && x.vendorId === '8086')" passqemu devices --json
check "plan names the NIC's way" says "bind 0000:01:00.0 to vfio-pci" 0 passqemu plan all
check "plan changes nothing" same_state
time passqemu prepare all
check "prepare has taken the NIC" bound 0000:01:00.0 vfio-pci
for a in 0000:02:00.0 0000:03:00.0 0000:04:00.0 0000:04:00.1 0000:06:01.0 0000:06:02.0 0000:41:00.0; do
  check "prepare has taken $a" bound $a vfio-pci
done
check "VFIO says that every group is viable" ls /dev/vfio/vfio
check "pages on node 0" is "$(cat /sys/devices/system/node/node0/hugepages/hugepages-2048kB/free_hugepages)" 32
check "pages on node 1" is "$(cat /sys/devices/system/node/node1/hugepages/hugepages-2048kB/free_hugepages)" 32
check "governor of a guest's CPU" is "$(cat /sys/devices/system/cpu/cpu3/cpufreq/scaling_governor)" powersave
check "status tells of it" says "bind 0000:01:00.0 to vfio-pci" 0 passqemu status
check "a second guest is refused and told who holds the NIC" says "all" 1 passqemu prepare second
check "release of the refused one does nothing" says "holds nothing" 0 passqemu release second
check "the first one still has it" bound 0000:01:00.0 vfio-pci
check "prepare again says that it is prepared" says "prepared already" 0 passqemu prepare all
time passqemu release all
check "everything is as before" same_state
check "nothing is left in /run/passqemu but the lock" is "$(ls /run/passqemu)" lock
finish
