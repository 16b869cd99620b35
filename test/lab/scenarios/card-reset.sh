#!/bin/bash
# lab: tier=mid suite=bookworm,trixie iommu=intel in=soak timeout=400 boot-gpu=virtio-vga
# How functions are reset and kept awake while a guest has them; a card that its driver does not take back, which is removed from
# the bus and found anew; and what the ROMs of cards are worth.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
NIC=0000:01:00.0
CARD=0000:04:00.0
JOURNAL=/run/passqemu/all.jsonl
all_with() { # OPTION ...: the guest's profile
  {
    printf '[devices]\nnic = %s\ngpu = %s\nsound = 0000:04:00.1\n[options]\ndevice-timeout = 2s\n' $NIC $CARD
    printf '%s\n' "$@"
  } | profile all
}
reads() { is "$(<"$B/$1")" "$2"; }

# Whoever has set these gets them back
echo auto >$B/$NIC/power/control
echo "# $NIC: $(<$B/$NIC/reset_method), power $(<$B/$NIC/power/control), d3cold $(<$B/$NIC/d3cold_allowed); $CARD: $(cat $B/$CARD/reset_method)"
state_before
all_with 'reset-methods = nic:bus' 'keep-awake = all'
check "plan: the NIC is reset by the bus" says "bind $NIC to vfio-pci, to be reset by bus" 0 passqemu plan all
check "prepare" passqemu prepare all
check "the NIC is VFIO's" bound $NIC vfio-pci
check "it will be reset by the bus" reads $NIC/reset_method bus
check "it is not cut off from power" reads $NIC/d3cold_allowed 0
check "it stays awake" reads $NIC/power/control on
check "it is awake" reads $NIC/power_state D0
check "the card stays awake" reads $CARD/power/control on
check "release" passqemu release all
check "everything is as before" same_state
cannot() { # OPTION TEXT
  all_with "$1"
  says "$2" 1 passqemu plan all && same_state
}
check "a method that the kernel knows and the NIC does not have is refused" cannot 'reset-methods = nic:acpi' "$NIC has no acpi"
check "a BAR that cannot be resized is refused" cannot 'bar-sizes = gpu:0:256M' "BAR 0 of $CARD cannot be resized"
refused_by_kernel() {
  all_with 'reset-methods = nic:bus' 'keep-awake = all'
  mount --bind "$B/$NIC/$1" "$B/$NIC/$1" && mount -o remount,bind,ro "$B/$NIC/$1" || return 1
  says "$1" 1 passqemu prepare all
  result=$?
  umount "$B/$NIC/$1"
  [ $result = 0 ] && [ ! -e $JOURNAL ] && same_state
}
check "the kernel refuses the way to reset: all is undone" refused_by_kernel reset_method
check "the kernel refuses what keeps it on: all is undone" refused_by_kernel d3cold_allowed

# The card's driver is gone when the card comes home. Removed and found anew it is a new device: udev hears of it and loads the driver
away() {
  all_with
  passqemu prepare all --quiet && rmmod bochs && mount --bind /bin/false "$(realpath /usr/sbin/modprobe)"
}
# A function that the kernel first saw before its neighbour could be reset by their bus; seen anew, it cannot
same_but_reset() {
  same_state >/tmp/differs
  cat /tmp/differs
  ! grep -v "^- pci $CARD reset_method = bus$" /tmp/differs
}
found_anew() {
  away && says "it is removed from the bus and looked for anew" 0 passqemu release all
  result=$?
  umount "$(realpath /usr/sbin/modprobe)"
  echo "$said"
  return $result
}
check "a card whose driver is gone is removed from the bus, found anew, and home" found_anew
sed 's/^/# /' /tmp/check.out
check "the card is home" bound $CARD bochs-drm
check "everything is as before" same_but_reset
state_before
not_home() {
  udevadm control --stop-exec-queue
  away && says "it is bound to no driver" 3 passqemu release all
  result=$?
  umount "$(realpath /usr/sbin/modprobe)"
  udevadm control --start-exec-queue
  [ $result = 0 ] && [ -e $JOURNAL ] && bound 0000:04:00.1 snd_hda_intel
}
check "where nobody loads the driver, the card stays on the list, and the others are home" not_home
check "with the driver back, release gives it home" passqemu release all -v
check "everything is as before" same_state
away_from_bus() {
  all_with
  passqemu prepare all --quiet && echo 1 >$B/$CARD/remove && passqemu release all
}
check "a card that is off the bus is looked for" away_from_bus
check "everything is as before" same_state

dumped() { passqemu rom dump "$1" "/tmp/$1.rom"; }
check "the NIC's ROM is saved" dumped $NIC
check "it is the NIC's, for UEFI guests" says "UEFI" 0 passqemu rom check /tmp/$NIC.rom --card $NIC
printf '%s\n' "$said" | sed 's/^/# /'
check "it is not the card's" exits 1 passqemu rom check /tmp/$NIC.rom --card $CARD
check "a card without a ROM" says "it has none that the kernel can reach" 1 dumped $CARD
given() { # FILE TEXT: what plan says of it as the card's ROM file
  sed "s,<source>.*,&<rom file='$1'/>," <<'X' >/tmp/rom.xml
<domain type='qemu'><name>all</name><devices><hostdev mode='subsystem' type='pci' managed='no'>
<source><address domain='0' bus='4' slot='0' function='0'/></source>
</hostdev></devices></domain>
X
  says "$2" 0 passqemu plan all --domain /tmp/rom.xml
}
all_with
check "plan: another card's ROM" given /tmp/$NIC.rom "is not one for this card"
check "plan: a ROM without a UEFI driver" given /usr/share/seabios/vgabios-stdvga.bin "has no UEFI driver"
for file in /usr/share/seabios/vgabios*.bin; do
  wanted=0
  # Not for PCI
  [[ $file != */vgabios.bin && $file != *isavga* && $file != *ramfb* ]] || wanted=1
  check "rom check $file" exits $wanted passqemu rom check "$file"
done
check "everything is as before the ROMs" same_state
finish
