#!/bin/bash
# lab: tier=full suite=trixie in=soak timeout=600
# docs/virt-manager.md and the README's "With virt-manager open", command by command: with sudo as root, the others as an ordinary user of the group libvirt.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
# shellcheck source=test/lab/scenarios/libvirt.sh
. ./libvirt.sh
GPU=0000:04:00.0
SOUND=0000:04:00.1
useradd --create-home --groups libvirt you
you() { runuser -u you -- env -u LIBVIRT_DEFAULT_URI "$@"; }
hostdev() { # hostdev FUNCTION: as virt-manager adds it
  echo "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' bus='0x04' slot='0x00' function='0x$1'/></source></hostdev>"
}
start_libvirtd
modprobe -q dm_mod
define_guest plain none no
virsh start plain >/dev/null && virsh destroy plain >/dev/null
virsh undefine plain >/dev/null
etc() { find /etc /usr/local | sort; }
etc >/tmp/etc.before

check 'doctor, as an ordinary user' sh -c 'runuser -u you -- passqemu doctor >/tmp/doctor.out; [ $? -le 1 ] && grep -qi iommu /tmp/doctor.out'
sed 's/^/# /' /tmp/doctor.out | head -n 40
check 'devices shows the card, its sound and its group' sh -c "runuser -u you -- passqemu devices >/tmp/devices.out && grep -q '$GPU' /tmp/devices.out && grep -q '$SOUND' /tmp/devices.out"
grep -A6 'group.*' /tmp/devices.out | grep -B1 -A2 '04:00' | sed 's/^/# /'
check 'topology' sh -c 'runuser -u you -- passqemu topology >/tmp/topology.out'

define_guest win11 none no "<memoryBacking><hugepages/></memoryBacking>
  <cputune><vcpupin vcpu='0' cpuset='4'/><emulatorpin cpuset='0-3'/></cputune>" "$(hostdev 0)$(hostdev 1)"
check 'enable' exits 0 passqemu enable win11
sed 's/^/# /' /etc/passqemu/win11.ini
check 'plan, as an ordinary user of the group libvirt' sh -c 'runuser -u you -- passqemu plan win11 >/tmp/plan.out 2>&1'
sed 's/^/# /' /tmp/plan.out
check 'it tells of the card' grep -q "bind $GPU to vfio-pci" /tmp/plan.out
check 'and of the pages' grep -q 'pages of 2 MiB' /tmp/plan.out
check 'hooks install' exits 0 passqemu hooks install
check 'hooks status, as an ordinary user' exits 0 you passqemu hooks status
# On a starved host the sound device may have found no codec, and has no driver
own="$(driver $GPU) $(driver $SOUND)"
echo "# before the start: $own"
# What is there to stay: the recover unit, and polkit, which libvirt asks about an ordinary user
you virsh --connect qemu:///system list >/dev/null
state_before
check 'virsh start, as the play button does' you virsh --connect qemu:///system start win11
check 'the guest owns the card and its sound' is "$(driver $GPU) $(driver $SOUND)" 'vfio-pci vfio-pci'
check 'status, as an ordinary user' says $GPU 0 you passqemu status win11
you passqemu status win11 | sed 's/^/# /'
check 'doctor of the guest' sh -c 'passqemu doctor win11 >/tmp/doctor.out; [ $? -le 1 ]'
grep -B1 -A3 -i fail /tmp/doctor.out | sed 's/^/# /'

define_guest other $GPU yes
check 'enable a second guest with the same card' exits 0 passqemu enable other
check 'its play button gives one line with the reason and the remedy' says 'guest win11 holds it' 1 virsh start other
virsh start other 2>&1 | sed 's/^/# /'
check 'the first is untouched' bound $GPU vfio-pci
forget other
check 'the journal tells each step' says "bind $GPU to vfio-pci" 0 journalctl -q -t passqemu --no-pager
check 'the guest is shut down' virsh destroy win11
check 'the card is back' is "$(driver $GPU) $(driver $SOUND)" "$own"
forget win11
check 'everything is as before' same_state

check 'recover, before it is removed' says 'Nothing is held' 0 passqemu recover
check 'hooks uninstall' exits 0 passqemu hooks uninstall
rm -r /etc/passqemu
etc >/tmp/etc.after
check 'nothing of it is left' diff /tmp/etc.before /tmp/etc.after
finish
