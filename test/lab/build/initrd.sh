#!/bin/sh
# initrd.sh ROOT INIT FILE MODULE...: a busybox initramfs with INIT as its /init and the named modules of ROOT.
set -eu
here=$(dirname "$0")
root=$1 init=$2 file=$3
shift 3

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/bin" "$tree/sbin" "$tree/lib" "$tree/proc" "$tree/sys" "$tree/dev" "$tree/root"
cp -L "$root/bin/busybox" "$tree/bin/busybox"
for name in sh cat cut ip mkdir mount poweroff readlink sleep switch_root; do
  ln -s busybox "$tree/bin/$name"
done
ln -s ../bin/busybox "$tree/sbin/modprobe"
"$here/modules.sh" "$root" "$tree" "$@"
cp "$init" "$tree/init"
chmod 755 "$tree/init"

(cd "$tree" && find . | cpio --quiet --create --format newc --owner 0:0) >"$file"
# A PVH boot puts the initramfs right below the ACPI tables, and the firmware takes a little more room for those than
# QEMU foresaw: the last pages may be overwritten. The kernel ignores what follows the archive, so let it be zeros.
truncate --size +256K "$file"
