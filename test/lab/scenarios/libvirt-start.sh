#!/bin/bash
# lab: tier=mid suite=bookworm,trixie iommu=intel in=full timeout=600
# A real libvirtd: hooks install, enable, virsh start and destroy with managed functions, refusals, two guests on one device.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
# shellcheck source=test/lab/scenarios/libvirt.sh
. ./libvirt.sh

start_libvirtd
define_guest one 0000:01:00.0 yes
define_guest two 0000:01:00.0 yes
define_guest three 0000:02:00.0 no
# libvirt makes a cgroup of its own at its first start and keeps it
define_guest plain none no
check 'a guest without devices starts and stops' sh -c 'virsh start plain && sleep 1 && virsh destroy plain'
state_before

check "hooks status says that none is installed" says missing 1 passqemu hooks status
check "hooks install" exits 0 passqemu hooks install
check "hooks install a second time changes nothing" says "installed already" 0 passqemu hooks install
check "hooks status" says installed 0 passqemu hooks status
check "enable of a guest that libvirt does not know is an error" says "knows no guest" 2 passqemu enable nobody
check "enable" exits 0 passqemu enable one
check "the profile names the device and what it is" grep -q "0000:01:00.0 8086:10d3" /etc/passqemu/one.ini
passqemu enable two >/dev/null
passqemu enable three >/dev/null

check "virsh start" virsh start one
check "the NIC is on vfio-pci" bound 0000:01:00.0 vfio-pci
check "status says that it runs" says "VFIO group" 0 passqemu status one
check "release under the running QEMU is refused" says "VFIO group" 1 passqemu release one
check "recover leaves it alone" says "was left alone" 0 passqemu recover
check "a second guest for the same NIC is refused and libvirt shows why" says "one" 1 virsh start two
check "the first one still runs" says running 0 virsh domstate one
check "and still has the NIC" bound 0000:01:00.0 vfio-pci
check "virsh destroy" virsh destroy one
check "the NIC is back on e1000e" bound 0000:01:00.0 e1000e
check "a function with managed='no' is taken because the profile names it" virsh start three
check "the NVMe is on vfio-pci" bound 0000:02:00.0 vfio-pci
kill -9 "$(cat /run/libvirt/qemu/three.pid)"
wait_for "QEMU is gone" sh -c '! virsh domstate three | grep -q running'
check "after kill -9 of QEMU the NVMe is back" bound 0000:02:00.0 nvme

printf '[cpu\nguest = 2\n' >/etc/passqemu/three.ini
check "a broken profile refuses the start, in words" says "Cannot read profile" 1 virsh start three
rm /etc/passqemu/three.ini
check "a removed package: a guest that runs is still released" sh -c 'virsh start one && rm /etc/passqemu/one.ini && virsh destroy one'
check "the NIC is back on e1000e again" bound 0000:01:00.0 e1000e
check "hooks uninstall" exits 0 passqemu hooks uninstall
check "uninstall leaves nothing" sh -c '! find /etc/libvirt/hooks -name "*passqemu*" | grep .'
stop_libvirtd
check "everything is as before" same_state
finish
