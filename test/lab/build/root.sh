#!/bin/sh
# root.sh ROOT NODE: turns a fresh Debian root into the lab's: no job of its own, no password, node at hand.
set -eu
root=$1 node=$2
here=$(dirname "$0")

cp --dereference "$node" "$root/usr/bin/node"
chroot "$root" node --version >/dev/null || {
  echo "this node does not start in the lab's Debian: run npm with an official build of node" >&2
  exit 1
}

echo lab >"$root/etc/hostname"
echo '127.0.0.1 localhost lab' >"$root/etc/hosts"
echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
: >"$root/etc/fstab"
passwd --root "$root" --delete root >/dev/null 2>&1 || sed -i 's/^root:[^:]*:/root::/' "$root/etc/shadow"
mkdir -p "$root/lab" "$root/usr/local/lib/passqemu" "$root/var/cache/libvirt/qemu"
cp "$here/lab.service" "$here/lab.target" "$root/etc/systemd/system/"

# What would start by itself and only cost time, or change the machine under a test's feet.
units=$root/etc/systemd/system
for unit in \
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
  logrotate.timer systemd-tmpfiles-clean.timer getty@tty1.service serial-getty@ttyS0.service console-getty.service \
  proc-sys-fs-binfmt_misc.automount systemd-binfmt.service \
  ldconfig.service systemd-firstboot.service systemd-hwdb-update.service systemd-journal-catalog-update.service \
  systemd-machine-id-commit.service systemd-networkd.service systemd-pstore.service systemd-random-seed.service \
  systemd-repart.service systemd-resolved.service systemd-timesyncd.service systemd-update-done.service \
  systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-pcrphase.service \
  systemd-pcrphase-sysinit.service systemd-tpm2-setup.service systemd-tpm2-setup-early.service \
  modprobe@drm.service modprobe@efi_pstore.service libvirt-guests.service; do
  ln -sf /dev/null "$units/$unit"
done
# libvirtd comes by its socket, when somebody asks for it; its networks stay down.
rm -f "$units/multi-user.target.wants/libvirtd.service" "$units/multi-user.target.wants/libvirt-guests.service"
rm -f "$root"/etc/libvirt/qemu/networks/autostart/*
# The display manager is started by the scenario that wants one.
rm -f "$units"/graphical.target.wants/* "$units"/multi-user.target.wants/greetd.service
mkdir -p "$root/etc/systemd/journald.conf.d"
printf '[Journal]\nStorage=volatile\n' >"$root/etc/systemd/journald.conf.d/lab.conf"

# The nested guests are x86_64 only, and libvirt asks every emulator that it finds for its capabilities.
rm -f "$root/usr/bin/qemu-system-i386" "$root/usr/bin/qemu-system-x86_64-microvm"
rm -rf "$root"/var/cache/apt "$root"/var/lib/apt/lists "$root"/var/log/*.log "$root"/usr/share/doc "$root"/usr/share/man \
  "$root"/usr/share/locale "$root"/usr/share/i18n "$root"/usr/share/info "$root"/usr/share/lintian "$root"/usr/share/bug
