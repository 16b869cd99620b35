#!/bin/bash
# lab: tier=full suite=bookworm,trixie iommu=intel gpu=none in=soak timeout=600 uefi append=module_blacklist=bochs
# The only graphics card has no driver, and the picture that UEFI firmware set up is on it (efifb): what cannot come back from a
# hand-over is named before, and is all that does not.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
GPU=0000:00:04.0

profile all <<X
[devices]
gpu = $GPU
[handover]
display = yes
X
printf '<domain type="qemu"><name>all</name></domain>' >/tmp/all.xml
pp() {
  operation=$1
  shift
  passqemu "$operation" all --domain /tmp/all.xml "$@"
}
printf '\033[?25lThe screen of the firmware\n' >/dev/tty1
check "the firmware's frame buffer is there" grep -q EFI /proc/fb
check "a picture of the screen" screen before
check "a second one is alike" same_screen before
check "the unit that recovers is installed" passqemu hooks install --quiet
state_before
check "what cannot come back is named before" says "efi-framebuffer.0 (efi-framebuffer) has the picture that the firmware set up: once VFIO has had the card it is gone until the next boot" \
  0 pp plan
printf '%s\n' "$said" | sed 's/^/# /'
# What fails before VFIO has had the card is put back in full
no_module() {
  mount --bind /bin/false "$(realpath /usr/sbin/modprobe)"
  says "vfio_pci" 1 pp prepare
  result=$?
  umount "$(realpath /usr/sbin/modprobe)"
  [ $result = 0 ] && same_state && same_screen before
}
check "VFIO's module cannot be loaded: the firmware's picture is back" no_module
check "hand over" pp prepare -v
grep -h ms /tmp/check.out | sed 's/^/# /'
check "the card is VFIO's" bound $GPU vfio-pci
check "take back" says "efi-framebuffer.0 is gone until the next boot: the screen stays dark till then" 0 passqemu release all -v
printf '%s\n' "$said" | sed 's/^/# /'
check "nothing is left on the list" exits 1 test -e /run/passqemu/all.jsonl
only_that_differs() {
  same_state >/tmp/differs
  cat /tmp/differs
  [ -s /tmp/differs ] && ! grep -v -E '^[-+] (console |framebuffers = )' /tmp/differs
}
check "all but the firmware's picture is as before" only_that_differs
sed 's/^/# /' /tmp/differs
finish
