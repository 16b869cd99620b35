#!/bin/bash
# lab: tier=mid suite=trixie iommu=intel in=full timeout=300
# lab: tier=mid suite=bookworm iommu=intel in=soak timeout=300
# import and export: domains that libvirt's own schema accepts, one that libvirtd defines and starts with two functions on one
# card, and the way back to the same profile from what libvirt made of it.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
# shellcheck source=test/lab/scenarios/libvirt.sh
. ./libvirt.sh

# An empty machine: no firmware to wait for, no accelerator
profile guest <<'X'
[devices]
nic = 0000:01:00.0 8086:10d3
drive = 0000:02:00.0

[cpu]
governor = performance
pins = 1 2
emulator = 0
iothreads = io1:3

[options]
siblings = park

[machine]
accel = tcg
memory = 64M
sockets = 2
cores = 1
on-reboot = shutdown
uuid = 4dea22b3-1d52-48f3-9516-782e98ab3fa0

[smbios]
manufacturer = A & <B>

[firmware]
type = bios

[disk system]
source = /var/tmp/convert 'a'.raw
bus = scsi
iothread = io1
serial = ABC
boot = 0

[disk cd]
type = cdrom

[network net]
mac = 52:54:00:11:22:33
boot = 1

[device nic]
slot = 9
rom-bar = no

[device drive]
with = nic
function = 1
sub-vendor-id = 1043

[input mouse]
type = mouse

[display]
type = vnc
port = 5933

[fw-cfg blob]
name = opt/org.passqemu/lab
text = hello
X
# The same facts that a real desktop guest has: too much for this machine to start, but libvirt must understand it
profile desktop <<'X'
[devices]
gpu = 0000:01:00.0

[memory]
hugepages = 2M
nodes = 0:8G

[machine]
os = windows
memory = 8G
cores = 2
threads = 2
cpu-flags = +topoext -svm
hide-kvm = yes
hv-vendor-id = abc
memory-lock = yes
prealloc-threads = 4

[firmware]
secure-boot = yes
enrolled-keys = yes

[numa 0]
vcpus = 0-3
memory = 8G
host-nodes = 0

[disk system]
source = /dev/nvme1n1
queues = 4
slot = 10

[network net]
type = bridge
bridge = br0

[network tap]
type = tap
interface = tap0
queues = 4

[device gpu]
romfile = /a.rom
x-vga = yes

[usb mouse]
id = 046d:c52b

[input keyboard]
path = /dev/input/by-id/usb-kbd

[display]
type = spice
usb-redirection = 2

[looking-glass]
size = 64M

[audio]
type = pulse
server = unix:/run/user/1000/pulse/native

[tpm]
type = swtpm

[share home]
source = /srv/home
cache = always

[arguments]
more = -global 'a.b=c d'
X
truncate -s 1M "/var/tmp/convert 'a'.raw"

export_to() { passqemu export "$1" --to libvirt >"/tmp/$1.xml"; }
facts() { awk '/^#|^$/ { next } /^\[/ { section = $0; next } { print section, $0 }' "$1" | sort; }
same_facts() { # same_facts GUEST XML: the profile that is made of the XML says what the guest's says
  passqemu import "$2" >/tmp/back.ini && diff <(facts "/etc/passqemu/$1.ini") <(facts /tmp/back.ini)
}

check 'a guest is exported' exits 0 export_to guest
check 'a desktop guest is exported' exits 0 export_to desktop
check 'nothing of it was lost' sh -c 'passqemu export guest --to libvirt --json | grep -A1 dropped | grep -F "[]"'
check "libvirt's schema accepts the guest" virt-xml-validate /tmp/guest.xml domain
check "libvirt's schema accepts the desktop guest" virt-xml-validate /tmp/desktop.xml domain
check 'import makes the same profile of the guest' same_facts guest /tmp/guest.xml

start_libvirtd
check 'libvirtd defines the guest' virsh define /tmp/guest.xml
passqemu hooks install >/dev/null
check 'libvirtd starts it with both functions' virsh start guest
check 'the NIC is on vfio-pci' bound 0000:01:00.0 vfio-pci
check 'the drive is on vfio-pci' bound 0000:02:00.0 vfio-pci
check 'the guest sees both on one card' sh -c \
  "virsh qemu-monitor-command guest --hmp 'info qtree' | grep -q 'addr = 00.1'"
virsh dumpxml --inactive guest >/tmp/defined.xml
check 'import makes the same profile of what libvirt keeps of it' same_facts guest /tmp/defined.xml
virsh dumpxml guest >/tmp/running.xml
check 'import makes the same profile of the running guest' same_facts guest /tmp/running.xml
check 'the functions know their identity' sh -c \
  "sed '/passqemu:key section=.devices/d' /tmp/defined.xml >/tmp/plain.xml; passqemu import /tmp/plain.xml | grep -q '= 0000:01:00.0 8086:10d3'"
check 'virsh destroy' virsh destroy guest
check 'the NIC is back on e1000e' bound 0000:01:00.0 e1000e
virsh undefine guest >/dev/null

check 'Proxmox gets commands that a shell reads as they are meant' sh -c \
  'passqemu export guest --to proxmox --vmid 100 2>/tmp/lost >/tmp/set.sh; qm() { printf "%s|" "$@"; echo; }; . /tmp/set.sh | grep -F "set|100|--net0|virtio=52:54:00:11:22:33|"'
check 'and is told what is lost' grep -q "iothread\|pins" /tmp/lost
check "the plain command line is QEMU's own and has the guest in it" sh -c \
  "passqemu export guest --to qemu | tee /tmp/line | head -n 1 | grep -q qemu-system && grep -q '0000:01:00.0' /tmp/line"
passqemu hooks uninstall >/dev/null
stop_libvirtd
finish
