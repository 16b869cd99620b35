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
# define_guest NAME ADDRESS MANAGED [EXTRA XML]: no firmware, no disk; it starts within seconds under emulation. ADDRESS none: no device
define_guest() {
  address=$2
  hostdev="<hostdev mode='subsystem' type='pci' managed='$3'><source>
      <address domain='0x${address:0:4}' bus='0x${address:5:2}' slot='0x${address:8:2}' function='0x${address:11:1}'/>
    </source></hostdev>"
  [ "$address" != none ] || hostdev=
  cat >"/tmp/$1.xml" <<X
<domain type='qemu'>
  <name>$1</name>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <on_poweroff>destroy</on_poweroff>
  $4
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    $hostdev
    <memballoon model='none'/>
    <controller type='usb' model='none'/>
  </devices>
</domain>
X
  virsh define "/tmp/$1.xml" >/dev/null
}
wait_for() { # wait_for WHAT COMMAND: at most 20 s
  what=$1
  shift
  for _ in $(seq 1 40); do
    "$@" >/dev/null 2>&1 && return 0
    sleep 0.5
  done
  echo "# waited 20 s in vain: $what"
  return 1
}
