#!/bin/bash
# lab: tier=mid suite=bookworm,trixie in=full timeout=600
# The life of a guest under a real libvirtd, a scenario for each of its ends and detours.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
# shellcheck source=test/lab/scenarios/libvirt.sh
. ./libvirt.sh
ready_for_guests

ends_by_itself() {
  # mov dx,0x604; mov ax,0x2000; out dx,ax; hlt: the ICH9's power management control, sleep state S5
  boot_sector off '\0272\0004\0006\0270\0000\0040\0357\0364\0353\0375'
  boots=yes guest off '' '<features><acpi/></features>' "$(disk off)"
  check "a guest that powers itself off starts" virsh start off
  wait_for "it is off" domain_is off 'shut off'
  check "it ended by itself" domain_is off 'shut off'
  check "its NIC is home" nic_is_home
  forget off
}
reboots_by_itself() {
  # mov al,0xfe; out 0x64,al; hlt: the keyboard controller pulls the reset line
  boot_sector again '\0260\0376\0346\0144\0364\0353\0375'
  boots=yes guest again '' '' "$(disk again)"
  check "a guest that reboots starts" virsh start again
  check "it reboots by itself" says "event 'reboot'" 0 virsh event again reboot --timeout 30
  check "virsh reset too" virsh reset again
  check "it runs on, with its NIC" bound $NIC vfio-pci
  check "and its journal" journal_of again
  check "it is destroyed" virsh destroy again
  forget again
}
is_paused() {
  guest rest
  check "a guest starts paused" virsh start rest --paused
  check "its NIC is taken" bound $NIC vfio-pci
  check "it is destroyed before it ever ran" virsh destroy rest
  check "its NIC is home" nic_is_home
  forget rest
}
is_transient() {
  domain passing $NIC yes
  printf '[devices]\nnic = %s\n' $NIC | profile passing
  check "a guest that is created, not defined" virsh create /tmp/passing.xml
  check "has its NIC" bound $NIC vfio-pci
  check "suspend and resume change nothing" sh -c 'virsh suspend passing && virsh resume passing'
  check "it still has it" bound $NIC vfio-pci
  check "after its end libvirt knows it no more" sh -c 'virsh destroy passing && ! virsh domstate passing'
  check "and its NIC is home" nic_is_home
  forget passing
}
is_undefined_while_running() {
  guest brief
  check "a guest is started, then undefined" sh -c 'virsh start brief && virsh undefine brief'
  check "it runs on" bound $NIC vfio-pci
  check "it is destroyed" virsh destroy brief
  check "its NIC is home" nic_is_home
  forget brief
}
is_renamed() {
  guest old
  check "a guest is started" virsh start old
  check "libvirt renames none that runs" exits 1 virsh domrename old new
  mv /etc/passqemu/old.ini /etc/passqemu/new.ini
  check "its profile is renamed while it runs: its end is unharmed" virsh destroy old
  check "its NIC is home" nic_is_home
  check "the guest gets the profile's new name" virsh domrename old new
  check "and starts under it" virsh start new
  check "its journal bears the new name" journal_of new
  check "it is destroyed" virsh destroy new
  forget old new
}
loses_its_profile() {
  guest torn
  check "a guest is started" virsh start torn
  printf '[cpu\nguest = 2\n' >/etc/passqemu/torn.ini
  check "its profile is broken while it runs: its end is unharmed" virsh destroy torn
  check "its NIC is home" nic_is_home
  check "with the broken profile it does not start" says "Cannot read profile" 1 virsh start torn
  forget torn
}
has_a_strange_name() {
  # shellcheck disable=SC2016
  for odd in '-rf Küche $(reboot)' 007; do
    define_guest "$odd" $NIC yes
    printf '[devices]\nnic = %s\n' $NIC | profile "$odd"
    check "a guest called $odd starts" virsh start --domain "$odd"
    check "$odd has a journal" journal_of "$odd"
    check "$odd has its NIC" bound $NIC vfio-pci
    check "$odd ends" virsh destroy --domain "$odd"
    virsh undefine --domain "$odd" >/dev/null
    rm -- "/etc/passqemu/$odd.ini"
  done
}
wants_what_another_has() {
  guest first
  guest second
  virsh start first >/dev/null
  cksum /run/passqemu/first.jsonl >/tmp/first.before
  check "a second guest is refused, and virsh shows why" says "guest first holds it" 1 virsh start second
  check "the first one runs" domain_is first running
  check "it has its NIC" bound $NIC vfio-pci
  check "its journal is untouched" is "$(cksum </run/passqemu/first.jsonl)" "$(sed 's, /.*,,' /tmp/first.before)"
  check "the second has none" sh -c '! test -e /run/passqemu/second.jsonl'
  rm /etc/passqemu/second.ini
  check "without a profile libvirt itself refuses it" exits 1 virsh start second
  check "the first one still has its NIC" bound $NIC vfio-pci
  check "it is destroyed" virsh destroy first
  forget first second
}
starts_beside_another() {
  guest left
  define_guest right $NVME yes
  printf '[devices]\nnvme = %s\n' $NVME | profile right
  virsh start left >/tmp/left.out 2>&1 &
  virsh start right >/tmp/right.out 2>&1
  wait $!
  check "two guests started at the same time: one runs" domain_is left running
  check "and the other" domain_is right running
  check "each has its own" is "$(driver $NIC) $(driver $NVME)" "vfio-pci vfio-pci"
  virsh destroy left >/dev/null &
  virsh destroy right >/dev/null
  wait $!
  check "both are home" is "$(driver $NIC) $(driver $NVME)" "e1000e nvme"
  forget left right
}

scenario "a guest that powers itself off" ends_by_itself
scenario "a guest that reboots" reboots_by_itself
scenario "a guest that never runs" is_paused
scenario "a transient guest" is_transient
scenario "a guest that is undefined while it runs" is_undefined_while_running
scenario "a guest that gets another name" is_renamed
scenario "a guest whose profile breaks while it runs" loses_its_profile
scenario "guests with strange names" has_a_strange_name
scenario "two guests that want one device" wants_what_another_has
scenario "two guests at the same time" starts_beside_another
echo "# $scenarios scenarios, $SECONDS s"
finish
