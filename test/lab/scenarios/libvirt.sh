# shellcheck shell=bash
# Sourced by scenarios that need a real libvirtd.
export LIBVIRT_DEFAULT_URI=qemu:///system

start_libvirtd() {
  if [ -d /run/systemd/system ]; then
    systemctl start virtlogd libvirtd
  else
    mkdir -p /run/libvirt
    virtlogd -d
    libvirtd -d
    for _ in $(seq 1 40); do [ -S /run/libvirt/libvirt-sock ] || sleep 0.5; done
  fi
}
stop_libvirtd() {
  if [ -d /run/systemd/system ]; then
    systemctl stop libvirtd libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket virtlogd.socket virtlogd 2>/dev/null
  else
    kill "$(cat /run/libvirtd.pid)" "$(cat /run/virtlogd.pid)"
    sleep 1
  fi
}
# domain NAME ADDRESS MANAGED [EXTRA XML] [EXTRA DEVICES]: no disk, and instead of a firmware the instruction to halt, so that it
# costs no processor time; with boots=yes QEMU's own firmware. ADDRESS none: no device. The XML goes to /tmp/NAME.xml
domain() {
  address=$2
  hostdev="<hostdev mode='subsystem' type='pci' managed='$3'><source>
      <address domain='0x${address:0:4}' bus='0x${address:5:2}' slot='0x${address:8:2}' function='0x${address:11:1}'/>
    </source></hostdev>"
  [ "$address" != none ] || hostdev=
  loader="<loader readonly='yes' type='rom'>/tmp/halt.rom</loader>"
  [ "${boots-}" != yes ] || loader=
  # 64 KiB; the processor begins 16 bytes before their end: cli, hlt, jmp back
  [ -e /tmp/halt.rom ] || { head -c 65520 /dev/zero && printf '\372\364\353\375' && head -c 12 /dev/zero; } >/tmp/halt.rom
  usb="<controller type='usb' model='none'/>"
  case ${5-} in *"type='usb'"*) usb= ;; esac
  cat >"/tmp/$1.xml" <<X
<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>$1</name>
  <memory unit='MiB'>16</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type>$loader</os>
  <on_poweroff>destroy</on_poweroff>
  ${4-}
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    $hostdev
    ${5-}
    <memballoon model='none'/>
    $usb
  </devices>
</domain>
X
}
define_guest() { # the same, known to libvirt
  domain "$@"
  virsh define "/tmp/$1.xml" >/dev/null
}
NIC=0000:01:00.0
# shellcheck disable=SC2034 # the scenarios use it
NVME=0000:02:00.0
# guest NAME [PROFILE TEXT] [EXTRA XML] [EXTRA DEVICES]: with the NIC, and a profile that names it
guest() {
  define_guest "$1" $NIC yes "${3-}" "${4-}"
  printf '[devices]\nnic = %s\n%b' $NIC "${2-}" | profile "$1"
}
# boot_sector NAME BYTES: a guest of 512 bytes, what the firmware jumps to
boot_sector() {
  { printf '%b' "$2" && head -c 510 /dev/zero; } | head -c 510 >"/tmp/$1.img"
  printf '\125\252' >>"/tmp/$1.img"
  truncate -s 1M "/tmp/$1.img"
}
disk() { echo "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/tmp/$1.img'/><target dev='vda' bus='virtio'/></disk>"; }
nic_is_home() { bound $NIC e1000e; }
nothing_is_held() { ! find /run/passqemu -name '*.jsonl' 2>/dev/null | grep .; }
# Interrupts that the guest's driver has made for the NIC
vfio_irqs() {
  local action
  for action in /proc/irq/*/vfio-*"($NIC)"; do
    [ ! -e "$action" ] || basename "$(dirname "$action")"
  done
}
on_guest_cpus() { # each of them, of which there must be some, on the guest's $CPU
  local irqs irq
  irqs=$(vfio_irqs)
  [ -n "$irqs" ] || {
    echo "no interrupts of $NIC"
    return 1
  }
  for irq in $irqs; do
    is "$(cat "/proc/irq/$irq/smp_affinity_list")" "$CPU" || return 1
  done
}
wait_for() { # wait_for WHAT COMMAND: at most a minute on a starved machine, or so many with minutes=N
  what=$1
  shift
  for _ in $(seq 1 $((120 * ${minutes:-1}))); do
    "$@" >/dev/null 2>&1 && return 0
    sleep 0.5
  done
  echo "# waited in vain: $what"
  return 1
}

# ready_for_guests: the daemon runs with our hook installed, libvirt has made what it makes once and keeps (a cgroup); the state
# is remembered
ready_for_guests() {
  start_libvirtd
  # For each disk libvirt asks the device mapper, which the kernel then loads
  modprobe -q dm_mod
  passqemu hooks install >/tmp/install.out 2>&1 || cat /tmp/install.out
  define_guest plain none no
  virsh start plain >/dev/null && virsh destroy plain >/dev/null
  virsh undefine plain >/dev/null
  state_before
}
# scenario NAME FUNCTION [ARG ...]: the checks of the function; then no guest runs and the host is as it was. With an argument the
# script plays only scenarios whose names match it, as an extended regular expression
only=${1-}
scenario() {
  title=$1
  shift
  [[ $title =~ $only ]] || return 0
  begun=$SECONDS
  echo "# $title"
  "$@"
  check "$title: no guest is left running" is "$(virsh list --name | tr -d '\n')" ""
  for left in $(virsh list --uuid); do virsh destroy "$left" >/dev/null; done
  check "$title: leaves the host as it was" same_state
  scenarios=$((${scenarios:-0} + 1))
  echo "# $((SECONDS - begun)) s"
}
# forget GUEST ...: libvirt and we know nothing of them any more
forget() {
  for guest; do
    virsh undefine "$guest" >/dev/null 2>&1
    rm -f "/etc/passqemu/$guest.ini" "/tmp/$guest.xml"
  done
}
domain_is() { # domain_is GUEST STATE: a guest that libvirt does not know is "gone"
  is "$(virsh domstate "$1" 2>/dev/null || echo gone)" "$(printf '%s\n\n' "$2")"
}
journal_of() { test -e "/run/passqemu/$1.jsonl"; }
