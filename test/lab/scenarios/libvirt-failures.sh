#!/bin/bash
# lab: tier=mid suite=bookworm,trixie in=full timeout=600
# Starts that fail, each for a reason of its own, and processes that are killed: the host is as it was each time.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
# shellcheck source=test/lab/scenarios/libvirt.sh
. ./libvirt.sh
ready_for_guests
state=/run/passqemu
# refuses NAME REASON: virsh start fails and shows it; nothing is held any more
refuses() {
  check "virsh start $1 fails with the reason" says "$2" 1 virsh start "$1"
  check "$1 is off" domain_is "$1" 'shut off'
  check "$1 holds nothing" nothing_is_held
  forget "$1"
}
# foreign_hook OPERATIONS: another's hook, which runs after ours and fails at them
foreign_hook() {
  printf '#!/bin/sh\ncase $2 in %s) echo "the other hook says no to $2" >&2; exit 1 ;; esac\n' "$1" >/etc/libvirt/hooks/qemu.d/zz-other
  chmod 755 /etc/libvirt/hooks/qemu.d/zz-other
}

fails_in_another_hook() { # OPERATION: a start must fail at it
  foreign_hook "$1"
  guest other
  refuses other "the other hook says no to $1"
  rm /etc/libvirt/hooks/qemu.d/zz-other
}
is_not_listened_to() { # OPERATIONS: a hook that fails at the end of a guest
  foreign_hook "$1"
  guest other
  check "virsh start" virsh start other
  check "virsh destroy" virsh destroy other
  check "the NIC is home" nic_is_home
  forget other
  rm /etc/libvirt/hooks/qemu.d/zz-other
}
device_in_use() {
  mkdir -p /tmp/mounted
  [ -n "$(blkid "$(disk_of $NVME)")" ] || mkfs.ext4 -q "$(disk_of $NVME)"
  mount "$(disk_of $NVME)" /tmp/mounted
  printf '[devices]\nnvme = %s\n' $NVME | profile used
  define_guest used $NVME yes
  refuses used /tmp/mounted
  umount /tmp/mounted
}
disk_of() { echo "/dev/$(basename "$B/$1"/nvme/nvme*/nvme*n1)"; }
another_device() {
  guest moved
  printf '[devices]\nnic = %s 10de:2204\n' $NIC | profile moved
  refuses moved 10de:2204
}
command_fails() { # STAGE
  guest cmd "[commands]\n$1 = /bin/false\n"
  refuses cmd "$1"
}
started_fails() {
  guest late '[commands]\nstarted = /bin/false\nstopped = /bin/false\nrelease-last = /bin/false\n'
  check "a failing command started kills no guest" virsh start late
  check "it runs" domain_is late running
  check "failing commands hold up no end" virsh destroy late
  check "its NIC is home" nic_is_home
  # Commands of a release are tried three times, each time by a call that gives back
  passqemu release late >/dev/null 2>&1
  passqemu release late >/dev/null 2>&1
  check "after three tries the failing one is given up" nothing_is_held
  forget late
}
qemu_does_not_start() {
  guest bad '' "<qemu:commandline><qemu:arg value='-device'/><qemu:arg value='no-such-device'/></qemu:commandline>"
  refuses bad no-such-device
}
disk_is_missing() {
  guest bare '' '' "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/tmp/nowhere.img'/><target dev='vda' bus='virtio'/></disk>"
  refuses bare /tmp/nowhere.img
}
libvirt_refuses_after_us() {
  # A whole card as a network interface: prepare is called, then libvirt finds that it is no virtual function
  define_guest iface none no '' "<interface type='hostdev' managed='yes'><source><address type='pci' domain='0' bus='1' slot='0' function='0'/></source></interface>"
  printf '[devices]\nnic = %s\n' $NIC | profile iface
  refuses iface Function
}
is_destroyed_in_the_middle() {
  guest slow '[commands]\nprepare-last = /bin/sleep 4\n'
  virsh start slow >/tmp/slow.out 2>&1 &
  wait_for "the command runs" grep -qs '"kind":"command"' $state/slow.jsonl
  virsh destroy slow >/tmp/destroy.out 2>&1
  wait $!
  [ "$(virsh domstate slow)" != running ] || virsh destroy slow >/dev/null
  cat /tmp/slow.out /tmp/destroy.out
  wait_for "it is released" nothing_is_held
  check "the NIC is home" nic_is_home
  check "nothing is held" nothing_is_held
  forget slow
}
# Ours is the node behind what libvirt runs
hook_process() { pgrep -f "node( --[^ ]+)* /etc/libvirt/hooks/qemu.d/passqemu .* $1 "; } # OPERATION
killed_in_prepare() {
  guest cut '[commands]\nprepare-last = /bin/sleep 6\n'
  virsh start cut >/tmp/cut.out 2>&1 &
  wait_for "the command runs" grep -qs '"kind":"command"' $state/cut.jsonl
  check "the hook is killed in prepare" kill -9 "$(hook_process prepare)"
  wait $!
  check "libvirt refuses the start" is $? 1
  check "its release has given all back" nothing_is_held
  check "the NIC is home" nic_is_home
  forget cut
}
killed_in_release() {
  guest cut '[commands]\nrelease-first = /bin/sleep 4\n'
  virsh start cut >/dev/null
  virsh destroy cut >/tmp/cut.out 2>&1 &
  wait_for "the hook runs" hook_process release
  wait_for "its command runs" pidof sleep
  check "the hook is killed in release" kill -9 "$(hook_process release)"
  wait $!
  check "libvirt does not mind" is $? 0
  check "the NIC is still away" bound $NIC vfio-pci
  check "the guest starts again all the same: what was left is given back first" virsh start cut
  check "it ends" virsh destroy cut
  check "the NIC is home" nic_is_home
  forget cut
}
qemu_is_killed() { # SIGNAL
  guest shot
  virsh start shot >/dev/null
  check "QEMU gets SIG$1" kill "-$1" "$(cat /run/libvirt/qemu/shot.pid)"
  wait_for "it is off" domain_is shot 'shut off'
  wait_for "all is given back" nothing_is_held
  check "the NIC is home" nic_is_home
  forget shot
}
qemu_quits() {
  guest quit
  virsh start quit >/dev/null
  check "QEMU is told to quit behind libvirt's back" sh -c "virsh qemu-monitor-command quit '{\"execute\":\"quit\"}'; true"
  wait_for "it is off" domain_is quit 'shut off'
  wait_for "all is given back" nothing_is_held
  check "the NIC is home" nic_is_home
  forget quit
}

for operation in prepare start started; do
  scenario "another hook fails at $operation" fails_in_another_hook $operation
done
scenario "another hook fails at stopped and release" is_not_listened_to 'stopped | release'
scenario "a device in use" device_in_use
scenario "another device at the address" another_device
scenario "a command fails before anything is taken" command_fails prepare-first
scenario "a command fails when all is taken" command_fails prepare-last
scenario "commands fail later" started_fails
scenario "QEMU does not start" qemu_does_not_start
scenario "a disk is missing" disk_is_missing
scenario "libvirt refuses after our prepare" libvirt_refuses_after_us
scenario "virsh destroy in the middle of a start" is_destroyed_in_the_middle
scenario "the hook is killed in prepare" killed_in_prepare
scenario "the hook is killed in release" killed_in_release
scenario "QEMU is killed" qemu_is_killed KILL
scenario "QEMU crashes" qemu_is_killed SEGV
scenario "QEMU quits" qemu_quits
echo "# $scenarios scenarios, $SECONDS s"
finish
