#!/bin/bash
# lab: in=full tier=mid suite=bookworm timeout=400
# lab: in=soak tier=mid suite=trixie timeout=400
# lab: in=full tier=mid iommu=none timeout=120 -- no-iommu
# What is refused on a real kernel, with all reasons at once, the exit status of the public contract, and before the first change.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
hook=/usr/local/lib/passqemu/qemu

# lists STATUS COMMAND [ARG ...]: it ends with the status, and every line of standard input is in what it said
lists() {
  local text said status=$1 missing=0
  shift
  said=$("$@" 2>&1 </dev/null)
  is $? "$status" || missing=1
  while read -r text; do
    [[ $said == *"$text"* ]] || { echo "missing: $text" && missing=1; }
  done
  [ $missing = 0 ] || { echo "$said" && return 1; }
}
# quietly COMMAND: its standard output is empty, as libvirt demands of its hook; what it complains is shown
quietly() {
  "$@" >/tmp/stdout
  local status=$?
  [ ! -s /tmp/stdout ] || { echo "it wrote to standard output" && return 99; }
  return $status
}

if [ "${1-}" = no-iommu ]; then
  profile any <<'X'
[devices]
nic = 0000:01:00.0
X
  check "without an IOMMU nothing is given" says "the kernel has no IOMMU groups" 1 passqemu prepare any
  finish
fi

# One start that everything is against
mkfs.ext4 -q -F /dev/nvme0n1
mount /dev/nvme0n1 /mnt
disk=$(readlink -f "/sys/bus/pci/devices/0000:41:00.0/nvme/"*/nvme*n1 | head -n 1)
disk=/dev/${disk##*/}
dmsetup create stacked --table "0 2048 linear $disk 0"
nic=$(ls $B/0000:01:00.0/net)
ip address add 192.0.2.2/24 dev "$nic"
ip link set "$nic" up
ip route add default via 192.0.2.1 dev "$nic"
profile all <<'X'
[devices]
disk    = 0000:02:00.0
stacked = 0000:41:00.0
way-out = 0000:01:00.0
half    = 0000:06:01.0
bridge  = 0000:00:10.0
nobody  = 0000:0e:00.0
other   = 0000:03:00.0 10de:2684
some    = class 02
[memory]
hugepages = 2M
nodes = 0:900G
[cpu]
guest = 6-9
X
# What the layers further down need stays loaded
modprobe -a raid1 btrfs
state_before
check "one start names every reason against it" lists 1 passqemu prepare all <<X
/mnt is mounted from nvme0n1
the device mapper has stacked on ${disk#/dev/}
the default route (IPv4 through $nic) leads over $nic
0000:06:02.0 (ehci-pci) belongs to it too, every member must go along
it is a PCI bridge
0000:0e:00.0 (nobody): there is no such function
it is 1b36:000d:1af4:1100, must be 10de:2684
Cannot choose some: 2 functions are
on node 0: it needs 460800 pages of 2 MiB
Cannot give CPUs 8-9 to the guest: this host has only 0-7
X
check "plan says the same" says "/mnt is mounted from nvme0n1" 1 passqemu plan all
check "the hook says so in one line, as much as one can read" says "there are 10 reasons against it; (1) Cannot " 1 quietly $hook all prepare begin - <<<'<domain><name>all</name></domain>'
check "nothing was changed" same_state
umount /mnt
dmsetup remove stacked

mkswap -q /dev/nvme0n1 >/dev/null 2>&1
swapon /dev/nvme0n1
profile swap <<'X'
[devices]
disk = 0000:02:00.0
[cpu]
guest = 0-7
X
check "swap and the last CPU, both" lists 1 passqemu prepare swap <<'X'
swap lies on nvme0n1
Cannot give CPUs 0-7 to the guest: none is left for the host
X
swapoff /dev/nvme0n1
wipefs -qa /dev/nvme0n1

# A RAID array and a btrfs over both disks: the mount names only one of them
profile layers <<'X'
[devices]
one = 0000:02:00.0
two = 0000:41:00.0
X
mdadm --create /dev/md7 --quiet --run --assume-clean --level=1 --metadata=1.2 --raid-devices=2 /dev/nvme0n1 "$disk"
check "both disks of a RAID array" lists 1 passqemu prepare layers <<X
the RAID array md7 runs on nvme0n1
the RAID array md7 runs on ${disk#/dev/}
X
mkswap -q /dev/md7 >/dev/null 2>&1
swapon /dev/md7
check "swap on it too" says "swap lies on nvme0n1 → md7" 1 passqemu prepare layers
swapoff /dev/md7
mdadm --stop --quiet /dev/md7
mdadm --zero-superblock /dev/nvme0n1 "$disk"
mkfs.btrfs -q -f -d raid1 -m raid1 /dev/nvme0n1 "$disk" >/dev/null 2>&1
btrfs device scan >/dev/null
mount -t btrfs "$disk" /mnt
check "both disks of a btrfs" lists 1 passqemu prepare layers <<X
/mnt is mounted from nvme0n1
/mnt is mounted from ${disk#/dev/}
X
umount /mnt
wipefs -qa /dev/nvme0n1 "$disk"

# All was well when the plan was made, but the user's own first command mounts the disk
mkfs.ext4 -q -F /dev/nvme0n1
profile late <<'X'
[devices]
disk = 0000:02:00.0
[commands]
prepare-first = /usr/bin/mount /dev/nvme0n1 /mnt
X
check "a disk that was mounted after the checks is not taken" says "the host, which has claimed /dev/nvme0n1" 1 passqemu prepare late
check "it is still the host's" findmnt --noheadings /mnt
umount /mnt
wipefs -qa /dev/nvme0n1

# Profiles and XML that are none: bad usage, exit status 2; of the hook always 1
printf '[devices]\nnic = 0000:01:00.0\n[options]\nsibling = park\n[memory]\nhugepages = 2M\nhugepages = 1G\n' | profile odd
check "an unknown and a doubled key are named, with the nearest known one" lists 2 passqemu prepare odd <<'X'
sibling
siblings
hugepages
X
profile open <<'X'
[devices]
nic = 0000:01:00.0
X
chmod 666 /etc/passqemu/open.ini
check "a profile that others may write is not trusted" says "Cannot trust /etc/passqemu/open.ini" 2 passqemu prepare open
check "not by the hook either" says "Cannot trust /etc/passqemu/open.ini" 1 quietly $hook open prepare begin - <<<'<domain><name>open</name></domain>'
chmod 644 /etc/passqemu/open.ini
chmod 777 /etc/passqemu
check "nor one in a folder that others may write" says "Cannot trust /etc/passqemu: others" 2 passqemu prepare open
chmod 755 /etc/passqemu
echo '<!DOCTYPE domain [<!ENTITY a "x">]><domain><name>open</name></domain>' >/tmp/doctype.xml
check "XML with a DOCTYPE is not read" says "it has a DOCTYPE, must have none" 2 passqemu prepare open --domain /tmp/doctype.xml
check "not by the hook either" says "it has a DOCTYPE" 1 quietly $hook open prepare begin - </tmp/doctype.xml
check "cut XML fails the hook" says "not well-formed" 1 quietly $hook open prepare begin - <<<'<domain><name>open</na'
check "another guest's XML too" says 'the XML is that of "other"' 1 quietly $hook open prepare begin - <<<'<domain><name>other</name></domain>'
check "a guest without a profile is not ours" exits 0 quietly $hook nobody prepare begin - </tmp/doctype.xml
check "by hand it is a mistake, and the nearest name is told" says "Did you mean swap?" 2 passqemu prepare swop
check "an unknown option is a mistake" exits 2 passqemu prepare open --dry
check "nothing was changed by any of them" same_state
check "nothing is remembered" says "Nothing is held" 0 passqemu status
echo "# $SECONDS s"
finish
