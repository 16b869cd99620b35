#!/bin/bash
# lab: in=full tier=mid suite=bookworm iommu=intel timeout=240
# lab: in=full tier=full suite=trixie iommu=amd timeout=240
# lab: in=full tier=mid suite=bookworm iommu=none timeout=240
# What the lab promises, looked at from within: devices, drivers, groups, memory, governors, VFIO, and a state dump that is
# equal when nothing was done and tells every change that is planted.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
pool=/sys/devices/system/node
policy=/sys/devices/system/cpu/cpufreq/policy3

reads() { is "$(cat "$1")" "$2"; } # reads FILE TEXT
write() { echo "$2" >"$1"; }       # write FILE TEXT
writes_through() { write "$1" "$2" && reads "$1" "$2"; }
group_is() { # group_is ADDRESS MEMBER ...: the members of its IOMMU group, in order
  local found=("$B/$1"/iommu_group/devices/*)
  shift
  is "${found[*]##*/}" "$*"
}
runs_at() { # runs_at GOVERNOR KILOHERTZ
  write $policy/scaling_governor "$1" && reads $policy/scaling_cur_freq "$2"
}
move() { # move ADDRESS DRIVER: by an override, which stays only while the driver is not the usual one
  write "$B/$1/driver_override" "$2"
  write "$B/$1/driver/unbind" "$1"
  write /sys/bus/pci/drivers_probe "$1"
}

echo "# kernel $(uname -r), IOMMU $LAB_IOMMU, up $(cut -d ' ' -f 1 /proc/uptime) s"
state_before
begun=$(date +%s%N)
check 'two dumps of an idle machine are equal' same_state
echo "# a dump of $(wc -l </tmp/state.before) facts and a comparison take $((($(date +%s%N) - begun) / 1000000)) ms"

check 'a core has two threads' reads /sys/devices/system/cpu/cpu0/topology/thread_siblings_list 0-1
check 'node 1 has four CPUs' reads $pool/node1/cpulist 4-7
check '41:00.0 is on node 1' reads $B/0000:41:00.0/numa_node 1
check 'the boot display is 00:04.0' reads $B/0000:00:04.0/boot_vga 1
for row in 00:04.0=bochs-drm 01:00.0=e1000e 02:00.0=nvme 03:00.0=xhci_hcd 04:00.0=bochs-drm 04:00.1=snd_hda_intel \
  06:01.0=e1000 06:02.0=ehci-pci 41:00.0=nvme; do
  check "$row" bound "0000:${row%=*}" "${row#*=}"
done
check 'vfio is not loaded yet' test ! -d /sys/module/vfio

for node in node0 node1; do
  pages=$pool/$node/hugepages/hugepages-2048kB/nr_hugepages
  check "$node gives huge pages" writes_through $pages 32
  write $pages 0
done
check 'acpi-cpufreq drives the CPUs' reads $policy/scaling_driver acpi-cpufreq
governor=$(<$policy/scaling_governor)
check 'powersave is the lowest frequency' runs_at powersave 1400000
check 'performance is the highest' runs_at performance 3600000
write $policy/scaling_governor "$governor"

nic=0000:01:00.0
if [ "$LAB_IOMMU" = none ]; then
  check 'no IOMMU groups' is "$(ls /sys/kernel/iommu_groups)" ''
else
  for address in $nic 0000:02:00.0 0000:03:00.0 0000:41:00.0; do
    check "$address is alone in its group" group_is $address $address
  done
  check 'VGA and its audio share one' group_is 0000:04:00.0 0000:04:00.0 0000:04:00.1
  check 'so do a bridge and all behind it' group_is 0000:06:01.0 0000:05:00.0 0000:06:01.0 0000:06:02.0
  modprobe vfio-pci
  move $nic vfio-pci
  check 'vfio-pci takes the NIC' bound $nic vfio-pci
  group=$(readlink $B/$nic/iommu_group)
  check 'and there is a node for its group' test -c "/dev/vfio/${group##*/}"
  move $nic ''
  check 'e1000e has it again' bound $nic e1000e
  udevadm settle
fi
check 'after all that, nothing has changed' same_state

differs() { ! same_state >/tmp/told; }
tells() { # tells NAME FILE TEXT: the dump is another one while the file holds the text, and the old one after
  local before
  before=$(<"$2")
  write "$2" "$3"
  check "the dump tells another $1" differs
  sed 's/^/#   /' /tmp/told
  [ "$before" != '(null)' ] || before=''
  write "$2" "$before"
}
tells governor $policy/scaling_governor powersave
tells 'number of huge pages' $pool/node1/hugepages/hugepages-2048kB/nr_hugepages 2
tells 'driver override' $B/0000:02:00.0/driver_override vfio-pci
interrupt=$(echo /proc/irq/*/xhci_hcd)
tells 'interrupt affinity' "${interrupt%%/xhci_hcd*}/smp_affinity_list" 1
tells 'knob' /sys/kernel/mm/ksm/run 1
check 'and is the old one again' same_state

if [ "$LAB_TIER" = full ]; then
  check 'systemd has nothing to complain of' is "$(systemctl is-system-running --wait)" running
  systemctl set-property --runtime user.slice AllowedCPUs=0-5
  check 'the dump tells AllowedCPUs' differs
fi
cp /tmp/state.before "$LAB_OUT"
finish
