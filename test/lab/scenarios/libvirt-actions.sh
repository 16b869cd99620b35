#!/bin/bash
# lab: tier=mid suite=bookworm,trixie in=soak timeout=900
# What a domain's own rules make of a guest that powers off, reboots or panics, and what else a user does to a guest that runs.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
# shellcheck source=test/lab/scenarios/libvirt.sh
. ./libvirt.sh
ready_for_guests
# Code for a boot sector. In 16 bits: a B on the serial port (0x3f8); then what the guest does
SAY_B='\0272\0370\0003\0260\0102\0356'
OFF='\0272\0004\0006\0270\0000\0040\0357\0364\0353\0375'            # PM1_CNT (0x604) = S5; hlt
REBOOT='\0260\0376\0346\0144\0364\0353\0375'                        # 0xfe to the keyboard controller (0x64); hlt
PANIC='\0272\0005\0005\0260\0001\0356\0364\0353\0375'               # 1 to pvpanic (0x505); hlt
# PM1_EN (0x602) = power button; sti; until bit 8 of PM1_STS (0x600): hlt; PM1_STS = all, which clears it; S5
HEED='\0272\0002\0006\0270\0000\0001\0357\0373\0364\0272\0000\0006\0355\0366\0304\0001\0164\0366\0270\0377\0377\0357'$OFF

# acting NAME CODE RULES [DEVICES]: such a guest, which runs, with the NIC and the rules
acting() {
  rm -f /tmp/console.log
  boot_sector "$1" "$SAY_B$2"
  boots=yes domain "$1" $NIC yes "<features><acpi/></features>" "$(disk "$1")${4-}<serial type='file'><source path='/tmp/console.log'/></serial>"
  sed -i "/on_poweroff/d; s,<devices>,$3&," "/tmp/$1.xml"
  virsh define "/tmp/$1.xml" >/dev/null
  printf '[devices]\nnic = %s\n' $NIC | profile "$1"
  check "it starts" virsh start "$1"
}
booted() { [ "$(tr -cd B </tmp/console.log | wc -c)" -ge "$1" ]; } # booted TIMES
# keeps NAME: it has had a second boot, and all that was taken for it is still what it was
remember() { cksum </run/passqemu/"$1".jsonl >/tmp/journal.before; }
keeps() {
  check "it boots again" wait_for "a second boot" booted 2
  check "it has kept its NIC" bound $NIC vfio-pci
  check "and its journal" is "$(cksum </run/passqemu/"$1".jsonl)" "$(cat /tmp/journal.before)"
  check "it is destroyed" virsh destroy "$1"
  check "the NIC is home" nic_is_home
  forget "$1"
}
ends() { # ends NAME: by itself
  check "it ends" wait_for "it is off" domain_is "$1" 'shut off'
  check "all is given back" wait_for "all is given back" nothing_is_held
  check "the NIC is home" nic_is_home
  forget "$1"
}
PVPANIC="<panic model='isa'/>"

is_restarted() { # RULE CODE
  acting again "$2" "<$1>restart</$1>" "$PVPANIC"
  remember again
  keeps again
}
is_ended() { # RULE ACTION CODE
  acting once "$3" "<$1>$2</$1>" "$PVPANIC"
  ends once
}
is_preserved() {
  acting kept "$PANIC" '<on_crash>preserve</on_crash>' "$PVPANIC"
  check "it has crashed" wait_for "it has crashed" domain_is kept crashed
  check "and keeps its NIC" bound $NIC vfio-pci
  check "until it is destroyed" virsh destroy kept
  check "the NIC is home" nic_is_home
  forget kept
}
is_rebooted() {
  acting button "$HEED" ''
  remember button
  wait_for "it heeds the button" booted 1
  check "virsh reboot" virsh reboot button
  keeps button
}
is_dumped() {
  guest core
  virsh start core >/dev/null
  check "a dump of a running guest's memory" virsh dump core /tmp/core --memory-only
  check "it has its NIC" bound $NIC vfio-pci
  check "a dump that ends it" virsh dump core /tmp/core --memory-only --crash
  ends core
}
ends_with_its_caller() {
  guest brief
  check "a guest that libvirt ends with the connection" virsh start brief --autodestroy
  ends brief
}
is_edited() {
  guest edited
  virsh start edited >/dev/null
  virsh dumpxml --inactive edited | sed '/<hostdev/,/<\/hostdev>/d' >/tmp/without.xml
  check "its device is taken out of its XML while it runs" virsh define /tmp/without.xml
  check "libvirt has it no more" sh -c '! virsh dumpxml --inactive edited | grep hostdev'
  check "it is destroyed" virsh destroy edited
  check "the NIC is home" nic_is_home
  forget edited
}
is_pinned_anew() {
  guest pins '[cpu]\nguest = 3-5\n' "<cputune><vcpupin vcpu='0' cpuset='3'/></cputune>"
  virsh start pins >/dev/null
  check "its vCPU is put elsewhere while it runs" virsh vcpupin pins 0 4 --live
  check "QEMU's own threads too" virsh emulatorpin pins 5 --live
  check "it is destroyed" virsh destroy pins
  check "the NIC is home" nic_is_home
  forget pins
}
# Keys in the domain's metadata: the profile that enable made says nothing of them, until somebody writes one into it
speaks_for_itself() {
  define_guest speaks $NIC yes "<metadata><passqemu:profile xmlns:passqemu='urn:passqemu:1'>
    <passqemu:key section='knobs' name='stat-interval'>10s</passqemu:key></passqemu:profile></metadata>"
  passqemu enable speaks >/dev/null
  check "plan says that the metadata asks for it" says '(metadata of the domain XML)' 0 passqemu plan speaks
  check "it starts" virsh start speaks
  check "and has it" is "$(cat /proc/sys/vm/stat_interval)" 10
  check "it is destroyed" virsh destroy speaks
  printf '\n[knobs]\nstat-interval = 20s\n' >>/etc/passqemu/speaks.ini
  check "the profile wins" sh -c "passqemu plan speaks | grep -q 'stat-interval .*(profile)'"
  virsh start speaks >/dev/null
  check "in a start too" is "$(cat /proc/sys/vm/stat_interval)" 20
  check "it is destroyed again" virsh destroy speaks
  forget speaks
}
# Then it is not ours to bring home
is_detached_before() {
  check "a person gives the NIC to vfio-pci" virsh nodedev-detach pci_0000_01_00_0
  guest early
  check "a guest starts with it" virsh start early
  check "it is destroyed" virsh destroy early
  check "the NIC is where the person had it" bound $NIC vfio-pci
  check "who takes it back" virsh nodedev-reattach pci_0000_01_00_0
  check "the NIC is home" nic_is_home
  forget early
}

scenario "on_poweroff restart" is_restarted on_poweroff "$OFF"
scenario "on_crash restart" is_restarted on_crash "$PANIC"
scenario "on_reboot destroy" is_ended on_reboot destroy "$REBOOT"
scenario "on_crash destroy" is_ended on_crash destroy "$PANIC"
scenario "on_crash coredump-destroy" is_ended on_crash coredump-destroy "$PANIC"
scenario "on_crash preserve" is_preserved
scenario "virsh reboot" is_rebooted
scenario "virsh dump" is_dumped
scenario "virsh start --autodestroy" ends_with_its_caller
scenario "a guest whose XML is edited while it runs" is_edited
scenario "a guest whose pins change while it runs" is_pinned_anew
scenario "keys in a domain's metadata" speaks_for_itself
scenario "a function that a person has detached" is_detached_before
echo "# $scenarios scenarios, $SECONDS s"
finish
