#!/bin/bash
# lab: tier=mid suite=trixie in=full timeout=900
# lab: tier=mid suite=bookworm in=soak timeout=900
# Every sort of thing that a domain's XML may ask of the host, hot-plugged ones, and guests that are saved and come back.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
# shellcheck source=test/lab/scenarios/libvirt.sh
. ./libvirt.sh
# libvirt looks for huge pages when it starts
ready_for_guests
pages() { cat "/sys/devices/system/node/node$1/hugepages/hugepages-2048kB/nr_hugepages"; }
# Slots for what is plugged in later
PORTS="<controller type='pci' index='0' model='pcie-root'/><controller type='pci' index='1' model='pcie-root-port'/>
  <controller type='pci' index='2' model='pcie-root-port'/><controller type='pci' index='3' model='pcie-root-port'/>"
# keyboard_is DRIVER: of the USB interface of class 03 below the controller; QEMU claims it when the guest configures it, which no guest here does
keyboard_is() {
  for interface in "$B"/0000:03:00.0/usb*/*/*:1.0; do
    [ "$(cat "$interface/bInterfaceClass")" != 03 ] || is "$(basename "$(readlink "$interface/driver")")" "$1" || return 1
  done
}

leaves_managed_no() {
  define_guest own $NVME no
  printf '[devices]\nnvme = %s\n' $NVME | profile own
  check "a function with managed='no' is taken because the profile names it" virsh start own
  check "it is on vfio-pci" bound $NVME vfio-pci
  check "it goes home" sh -c 'virsh destroy own'
  check "the NVMe is home" bound $NVME nvme
  # libvirt would keep it for ever among the functions that it need not give back, whoever plugs it in later (notes/libvirt.md)
  check "libvirt is told so" virsh nodedev-reattach pci_0000_02_00_0
  forget own
}
has_an_nvme_disk() {
  define_guest disk none no '' "<disk type='nvme' device='disk'><driver name='qemu' type='raw'/><source type='pci' managed='yes' namespace='1'>
    <address domain='0x0000' bus='0x02' slot='0x00' function='0x0'/></source><target dev='vda' bus='virtio'/></disk>"
  check "enable finds the function of an NVMe disk" passqemu enable disk
  check "it is in the profile" grep -q $NVME /etc/passqemu/disk.ini
  check "the guest starts" virsh start disk
  check "the NVMe is on vfio-pci" bound $NVME vfio-pci
  check "and held" says $NVME 0 passqemu status disk
  check "the guest ends" virsh destroy disk
  check "the NVMe is home" bound $NVME nvme
  forget disk
}
has_a_usb_device() {
  echo "<hostdev mode='subsystem' type='usb' managed='yes'><source><vendor id='0x0627'/><product id='0x0001'/></source></hostdev>" >/tmp/keyboard.xml
  define_guest keys none no '' "<controller type='usb' model='qemu-xhci'/>$(cat /tmp/keyboard.xml)"
  : | profile keys
  check "a guest with a keyboard of the host starts" virsh start keys
  check "the host's driver lets go of it" wait_for "the driver lets go" keyboard_is ""
  check "the controller stays the host's" bound 0000:03:00.0 xhci_hcd
  check "it is unplugged while the guest runs" virsh detach-device keys /tmp/keyboard.xml --live
  check "the kernel has it" wait_for "the kernel has it" keyboard_is usbhid
  check "and plugged in again" virsh attach-device keys /tmp/keyboard.xml --live
  check "the driver has let go of it" wait_for "the driver lets go" keyboard_is ""
  check "it ends" virsh destroy keys
  check "the kernel takes it back" wait_for "the kernel takes it back" keyboard_is usbhid
  forget keys
}
has_an_interface() {
  define_guest card none no '' "<interface type='hostdev' managed='yes'><source>
    <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source></interface>"
  check "enable finds the function of an interface" passqemu enable card
  check "it is in the profile" grep -q $NIC /etc/passqemu/card.ini
  check "libvirt refuses one that is no virtual function" says "SR-IOV Virtual Functions only" 1 virsh start card
  check "the NIC is home" nic_is_home
  check "and nothing is held" nothing_is_held
  forget card
}
has_memory_of_a_node() {
  define_guest pages none no "<memoryBacking><hugepages><page size='2048' unit='KiB' nodeset='0'/></hugepages></memoryBacking>
    <numatune><memory mode='strict' nodeset='1'/></numatune><cpu><numa><cell id='0' cpus='0' memory='16384' unit='KiB'/></numa></cpu>"
  : | profile pages
  check "the domain's huge pages come from the domain's node" sh -c 'virsh start pages'
  check "8 pages on node 1, none on node 0" is "$(pages 0) $(pages 1)" "0 8"
  check "the guest ends" virsh destroy pages
  check "no page is left" is "$(pages 0) $(pages 1)" "0 0"
  forget pages
}
has_too_much_memory() {
  domain much none no "<memoryBacking><hugepages><page size='2048' unit='KiB'/></hugepages></memoryBacking><numatune><memory mode='strict' nodeset='0'/></numatune>"
  sed -i "s/<memory unit='MiB'>16/<memory unit='GiB'>16/" /tmp/much.xml
  virsh define /tmp/much.xml >/dev/null
  : | profile much
  check "more huge pages than the node has memory: refused, in words" says "node 0" 1 virsh start much
  check "no page was taken" is "$(pages 0) $(pages 1)" "0 0"
  forget much
}
has_cpus_of_its_own() {
  define_guest cpus none no "<iothreads>1</iothreads><cputune><vcpupin vcpu='0' cpuset='3'/><emulatorpin cpuset='2'/><iothreadpin iothread='1' cpuset='2-3'/></cputune>"
  printf '[cpu]\nguest = 2-3\ngovernor = powersave\n' | profile cpus
  check "a guest with pins of every sort starts" virsh start cpus
  check "the host is kept off its CPUs" is "$(cat /sys/fs/cgroup/cpuset.cpus.effective)" "0-1,4-7"
  check "its vCPU is where the domain says" says "3" 0 sh -c "virsh vcpupin cpus | grep -E '^ *0 +3\$'"
  check "its governor is the profile's" is "$(cat /sys/devices/system/cpu/cpu3/cpufreq/scaling_governor)" powersave
  check "it ends" virsh destroy cpus
  forget cpus
}
gets_devices_while_it_runs() {
  cat >/tmp/nvme.xml <<'X'
<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' bus='0x02' slot='0x00' function='0x0'/></source></hostdev>
X
  guest plug '' '' "$PORTS"
  virsh start plug >/dev/null
  check "a second function is attached while it runs" virsh attach-device plug /tmp/nvme.xml --live
  check "it is on vfio-pci" bound $NVME vfio-pci
  check "and none of ours" sh -c "! grep -q '$NVME' /run/passqemu/plug.jsonl"
  # A guest without a system never answers: then it stays
  virsh detach-device plug /tmp/nvme.xml --live
  check "the guest ends" virsh destroy plug
  check "libvirt has given back its function, and we ours" is "$(driver $NVME) $(driver $NIC)" "nvme e1000e"
  forget plug
}
loses_its_device_while_it_runs() {
  guest unplug '' '' "$PORTS"
  virsh start unplug >/dev/null
  sed -n '/<hostdev/,/<\/hostdev>/p' /tmp/unplug.xml >/tmp/nic.xml
  # A guest without a system never answers: then it stays
  virsh detach-device unplug /tmp/nic.xml --live
  check "the NIC is not home before release" bound $NIC vfio-pci
  check "the guest ends" virsh destroy unplug
  check "a function that was detached from its guest goes home by release" nic_is_home
  forget unplug
}
cannot_be_saved() {
  guest fixed
  virsh start fixed >/dev/null
  check "libvirt saves no guest with a device" exits 1 virsh save fixed /tmp/fixed.save
  check "nor keeps it by managed save" exits 1 virsh managedsave fixed
  check "nor moves it" exits 1 virsh migrate --live fixed qemu+unix:///system
  check "it runs on" domain_is fixed running
  check "with its NIC" bound $NIC vfio-pci
  check "it ends" virsh destroy fixed
  check "the NIC is home" nic_is_home
  forget fixed
}
is_saved() {
  define_guest saved none no "<cputune><vcpupin vcpu='0' cpuset='3'/></cputune>"
  printf '[knobs]\nstat-interval = 10s\n' | profile saved
  virsh start saved >/dev/null
  check "a guest without devices is saved" virsh save saved /tmp/saved.save
  check "it holds nothing then" nothing_is_held
  check "it is restored" virsh restore /tmp/saved.save
  check "and holds what it had" is "$(cat /proc/sys/vm/stat_interval)" 10
  check "managed save" virsh managedsave saved
  check "holds nothing" nothing_is_held
  check "a start brings it back" virsh start saved
  check "with what it had" is "$(cat /proc/sys/vm/stat_interval)" 10
  check "it ends" virsh destroy saved
  check "a broken profile refuses a restore" broken_restore
  forget saved
}
broken_restore() {
  printf '[cpu\n' >/etc/passqemu/saved.ini
  says "Cannot read profile" 1 virsh restore /tmp/saved.save
}
has_snapshots() {
  qemu-img create -q -f qcow2 /tmp/snap.qcow2 16M
  define_guest snap none no '' "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/tmp/snap.qcow2'/><target dev='vda' bus='virtio'/></disk>"
  printf '[knobs]\nstat-interval = 10s\n' | profile snap
  virsh start snap >/dev/null
  check "a snapshot of a running guest" virsh snapshot-create-as snap first
  check "it is destroyed" virsh destroy snap
  check "and holds nothing" nothing_is_held
  check "the snapshot brings it back to life" virsh snapshot-revert snap first
  check "it runs" domain_is snap running
  check "with what it had" is "$(cat /proc/sys/vm/stat_interval)" 10
  check "back once more, while it runs" virsh snapshot-revert snap first
  check "it still has it" is "$(cat /proc/sys/vm/stat_interval)" 10
  check "it ends" virsh destroy snap
  virsh snapshot-delete snap first >/dev/null
  forget snap
}

scenario "a function with managed='no'" leaves_managed_no
scenario "an NVMe disk" has_an_nvme_disk
scenario "a USB device" has_a_usb_device
scenario "an interface" has_an_interface
scenario "huge pages of a node" has_memory_of_a_node
scenario "too much memory" has_too_much_memory
scenario "CPUs of its own" has_cpus_of_its_own
scenario "devices that come while a guest runs" gets_devices_while_it_runs
scenario "a device that goes while a guest runs" loses_its_device_while_it_runs
scenario "a guest with a device cannot be saved" cannot_be_saved
scenario "a guest that is saved" is_saved
scenario "snapshots" has_snapshots
echo "# $scenarios scenarios, $SECONDS s"
finish
