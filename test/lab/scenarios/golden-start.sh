#!/bin/bash
# lab: in=soak tier=mid suite=trixie timeout=500
# lab: in=soak tier=mid suite=bookworm timeout=700
# Every golden case of `passqemu run`, started paused by this suite's QEMU, and what QEMU then has compared with the profile.
cd "$(dirname "$0")" || exit 99
B=/sys/bus/pci/devices
modprobe -a vfio-pci iommufd macvtap tap tun bridge dummy evdev >/dev/null 2>&1
for function in 0000:01:00.0 0000:02:00.0 0000:04:00.0 0000:04:00.1; do
  echo vfio-pci >"$B/$function/driver_override"
  [ ! -e "$B/$function/driver" ] || echo "$function" >"$B/$function/driver/unbind"
  echo "$function" >/sys/bus/pci/drivers_probe
done
# The cgroup that prepare would have made, and memory for guests that are never filled
mkdir -p /etc/passqemu /sys/fs/cgroup/machine
echo 1 >/proc/sys/vm/overcommit_memory
# Trixie has only the 4 MiB ones
for part in CODE VARS; do
  [ -e "/usr/share/OVMF/OVMF_$part.fd" ] || ln -s "OVMF_${part}_4M.fd" "/usr/share/OVMF/OVMF_$part.fd"
done
# Disks are opened past the page cache, which tmpfs has only since Linux 6.6: their files are on a drive
drive=$(basename "$(ls -d "$B"/0000:41:00.0/nvme/nvme*/nvme*n1)")
mkdir -p /tmp/passqemu-golden
if ! mkfs.ext4 -q -F "/dev/$drive" || ! mount "/dev/$drive" /tmp/passqemu-golden; then
  echo 'not ok - the drive for the files of the guests'
  exit 1
fi
export GOLDEN_VFIO=1
# These by passqemu's own plan too; the others by the golden command lines
failed=0
python3 golden-start.py passqemu /lab/golden small-linux gpu-card pins || failed=1
python3 golden-start.py - /lab/golden "$@" || failed=1
exit "$failed"
