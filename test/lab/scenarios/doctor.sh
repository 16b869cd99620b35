#!/bin/bash
# lab: in=full tier=mid suite=bookworm iommu=amd timeout=600
# lab: in=full tier=mid suite=trixie iommu=intel,none timeout=600
# doctor on a real kernel: what QEMU was told (which IOMMU, which devices) and what is changed here decides what it must say.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
iommu=$(sed -n 's/.*lab\.iommu=\([a-z]*\).*/\1/p' /proc/cmdline)
gpu=0000:04:00.0
sound=0000:04:00.1

# look STATUS COMMAND [ARG ...]: keeps what doctor says, and is content if it ends with that status
look() {
  want=$1
  shift
  "$@" --json >/tmp/doctor.json
  is "$?" "$want"
}
# finds: each line of standard input is the id of a finding, its status, and perhaps a piece of its summary or remedy
finds() {
  node -e '
    const { findings } = JSON.parse(require("fs").readFileSync("/tmp/doctor.json", "utf8"));
    const lines = require("fs").readFileSync(0, "utf8").trim().split("\n");
    const wrong = lines.filter((line) => {
      const [, id, status, piece] = /^(\S+) (\S+) ?(.*)$/.exec(line);
      const found = findings.find((one) => one.id === id);
      const said = found && `${found.summary} ${found.remedy}`;
      if (found && found.status === status && said.includes(piece)) return false;
      console.log(`${line}: ${found ? `${found.status} ${said}` : "no such finding"}`);
      return true;
    });
    process.exit(wrong.length ? 1 : 0);'
}
bind() { # bind ADDRESS DRIVER
  echo "$2" >"$B/$1/driver_override"
  echo "$1" >"$B/$1/driver/unbind"
  echo "$1" >/sys/bus/pci/drivers_probe
  echo >"$B/$1/driver_override"
}
governor() { # governor NAME
  for policy in /sys/devices/system/cpu/cpufreq/policy*; do echo "$1" >"$policy/scaling_governor"; done
}

case $iommu in
none)
  state_before
  check "without an IOMMU doctor fails" look 1 passqemu doctor
  check "and says what is missing, and how to turn it on" finds <<'X'
iommu.firmware-table fail Turn on
iommu.enabled fail The kernel has no IOMMU groups
iommu.command-line ok
iommu.interrupt-remapping unknown there are no IOMMU groups
groups.viable unknown there are no IOMMU groups
processor.bare-metal warn <iommu model="intel">
vfio.modules ok
X
  check "nothing was changed by looking" same_state
  finish
  ;;
intel) table=DMAR word='iommu.command-line ok' ;;
amd) table=IVRS word='iommu.command-line warn Take amd_iommu=on out of' ;;
esac

echo madvise >/sys/kernel/mm/transparent_hugepage/enabled
governor performance
check "a processor without virtualization fails" look 1 passqemu doctor
check "what QEMU was told is what it finds" finds <<X
processor.virtualization fail
processor.bare-metal warn
iommu.firmware-table ok $table
iommu.enabled ok
$word
iommu.interrupt-remapping ok
iommu.default-domain ok
iommu.acs-override ok
iommu.faults ok
groups.complete ok
groups.graphics-alone ok
groups.viable ok
vfio.modules ok
vfio.leftover-overrides ok
gpu.second-card ok There are 2 graphics cards
gpu.boot-card ok 0000:00:04.0
gpu.render-nodes warn $gpu
gpu.wedged ok
gpu.bar-reservation ok
firmware.uefi warn
memory.transparent-and-pool ok
cpus.governor ok performance
cpus.cgroup ok
hook.installed warn passqemu hooks install
X

# Each of these is one thing that users get wrong
modprobe -a vfio-pci vfio_iommu_type1
passqemu hooks install >/dev/null
chmod 644 /etc/libvirt/hooks/qemu.d/passqemu
echo always >/sys/kernel/mm/transparent_hugepage/enabled
echo 4 >/proc/sys/vm/nr_hugepages
echo 1 >/sys/kernel/mm/ksm/run
modprobe -q cpufreq_ondemand
governor ondemand
bind $gpu vfio-pci
echo vfio-pci >$B/0000:01:00.0/driver_override
echo 0000:02:00.0 >$B/0000:02:00.0/driver/unbind
echo 'options vfio-pci ids=8086:10d3,10de:2684' >/etc/modprobe.d/vfio.conf
echo "vfio-pci 0000:04:00.0: BAR 1: can't reserve [mem 0xc0000000-0xcfffffff 64bit pref]" >/dev/kmsg
exec 8>/sys/bus/pci/drivers/e1000e/unbind
cat >/tmp/win.xml <<'X'
<domain type='kvm'><name>win</name><memory unit='GiB'>64</memory><vcpu>2</vcpu>
<cputune><vcpupin vcpu='0' cpuset='2'/><vcpupin vcpu='1' cpuset='5'/></cputune>
<os><type machine='pc-i440fx-7.2'>hvm</type></os>
<devices><disk type='file' device='disk'><source file='/var/lib/nowhere.img'/><target dev='sda' bus='sata'/></disk>
<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0' bus='4' slot='0' function='0'/></source></hostdev>
<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0' bus='9' slot='0' function='0'/></source></hostdev>
<hostdev mode='subsystem' type='usb'><source><vendor id='0x1234'/><product id='0x5678'/></source></hostdev></devices></domain>
X
state_before
check "doctor of a guest on a host in disorder" look 1 passqemu doctor win --domain /tmp/win.xml
check "a writer to the bus is seen, and nothing is asked that would wait for it" finds <<'X'
gpu.wedged fail /sys/bus/pci/drivers/e1000e/unbind
vfio.leftover-overrides unknown a write to the PCI bus hangs
X
exec 8>&-
check "again without that" look 1 passqemu doctor win --domain /tmp/win.xml
check "every disorder is found, with its remedy" finds <<X
hook.executable fail chmod 755 /etc/libvirt/hooks/qemu.d/passqemu
memory.transparent-and-pool warn transparent-hugepages = madvise
memory.same-page-merging warn ksm = no
cpus.governor warn governor = performance
groups.viable fail $sound
groups.whole-cards warn $sound
vfio.leftover-overrides warn echo > /sys/bus/pci/devices/0000:01:00.0/driver_override
vfio.driverless warn echo 0000:02:00.0 > /sys/bus/pci/drivers_probe
vfio.ids-known warn 10de:2684
vfio.ids-taken fail softdep e1000e pre: vfio-pci
gpu.bar-reservation fail initcall_blacklist=sysfb_init
gpu.wedged ok
guest.pci-devices fail 0000:09:00.0
guest.whole-cards warn $sound
guest.disks fail /var/lib/nowhere.img
guest.usb-devices warn 1234:5678
guest.machine warn q35
guest.profile warn passqemu enable win
guest.managed warn
memory.guest-fits fail
cpus.whole-cores warn 2-5
cpus.one-node warn 0, 1
X

# An ordinary user
echo 1 >/proc/sys/kernel/dmesg_restrict
chmod 700 /etc/libvirt
check "an ordinary user gets an answer" look 1 setpriv --reuid=65534 --regid=65534 --clear-groups passqemu doctor
check "that says what could not be seen" finds <<'X'
iommu.faults unknown /dev/kmsg cannot be read
hook.installed unknown /etc/libvirt cannot be searched (EACCES)
gpu.boot-framebuffer unknown root only
iommu.enabled ok
groups.viable fail
memory.locked-limit warn /etc/security/limits.d/vfio.conf
X
chmod 755 /etc/libvirt
echo 0 >/proc/sys/kernel/dmesg_restrict
check "nothing was changed by looking" same_state
start=$EPOCHREALTIME
passqemu version >/dev/null
middle=$EPOCHREALTIME
passqemu doctor >/tmp/doctor.txt
stop=$EPOCHREALTIME
echo "# passqemu version $(((${middle/./} - ${start/./}) / 1000)) ms, doctor $(((${stop/./} - ${middle/./}) / 1000)) ms"
tail -n 1 /tmp/doctor.txt | sed 's/^/# /'
finish
