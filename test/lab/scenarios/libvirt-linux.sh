#!/bin/bash
# lab: tier=mid suite=bookworm kvm-nested in=soak timeout=400
# A guest with an operating system: a Linux, whose own e1000e drives the NIC that the hook has taken for it.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
# shellcheck source=test/lab/scenarios/libvirt.sh
. ./libvirt.sh
CPU=5
console=/tmp/console.log

# Emulated in the emulation it takes more than five minutes to boot; with KVM, itself emulated, it needs an interrupt controller of QEMU's own
define_linux() {
  local own words='console=ttyS0 earlyprintk=ttyS0 tsc=reliable mitigations=off nokaslr no_timer_check cryptomgr.notests audit=0 apparmor=0 8250.nr_uarts=1 load=e1000e'
  boots=yes domain linux $NIC yes "<features><acpi/><apic/></features><cputune><vcpupin vcpu='0' cpuset='$CPU'/></cputune>" \
    "<controller type='pci' index='0' model='pcie-root'/><controller type='pci' index='1' model='pcie-root-port'/>
    <serial type='file'><source path='$console'/></serial>"
  own="<qemu:commandline><qemu:arg value='-machine'/><qemu:arg value='kernel-irqchip=off'/></qemu:commandline>"
  own="<cpu mode='custom' match='exact' check='none'><model fallback='allow'>qemu64</model></cpu>$own"
  sed -i "s,<domain type='qemu',<domain type='kvm',; s,'MiB'>16<,'MiB'>192<,; s,</domain>,$own&,
    s,hvm</type>,&<kernel>/usr/local/lib/lab/vmlinux</kernel><initrd>/usr/local/lib/lab/initrd</initrd><cmdline>$words</cmdline>,
    s,</source></hostdev>,</source><rom bar='off'/><address type='pci' bus='1' slot='0'/></hostdev>," /tmp/linux.xml
  virsh define /tmp/linux.xml >/dev/null
  : | profile linux
}
modprobe kvm_amd
chgrp kvm /dev/kvm && chmod 660 /dev/kvm
ready_for_guests
mac=$(cat "$B/$NIC/net/"*/address)
define_linux
begun=$SECONDS
check 'virsh start' virsh start linux
minutes=4
check 'it boots' wait_for 'the Linux' grep -qs 'GUEST ready' $console
minutes=1
tail -n 20 $console | sed 's/^/# /'
echo "# it took $((SECONDS - begun)) s"
check 'it sees the function' grep -q 'GUEST pci .* 0x8086:0x10d3' $console
check 'its driver has the NIC, with the address that it had on the host' grep -q "GUEST net .* $mac" $console
check "the NIC's interrupts come to the guest's CPU" wait_for 'the interrupts' on_guest_cpus
grep vfio /proc/interrupts | sed 's/^/# /'
check 'virsh destroy' virsh destroy linux
check 'the NIC is back' nic_is_home
check 'with its address' is "$(cat "$B/$NIC/net/"*/address)" "$mac"
forget linux
check 'everything is as before' same_state
finish
