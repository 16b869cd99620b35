#!/bin/bash
# The first boot of an image: fills libvirt's cache of what the emulator can do.
set -eu
virtlogd --daemon
libvirtd --daemon
for _ in {1..100}; do
  [ ! -S /run/libvirt/libvirt-sock ] || break
  sleep 0.1
done
virsh --connect qemu:///system domcapabilities --machine q35 --virttype qemu >/dev/null
ls -l /var/cache/libvirt/qemu/capabilities
kill "$(cat /run/libvirtd.pid)"
sync
sleep 0.5
mount -o remount,ro / 2>/dev/null || sync
