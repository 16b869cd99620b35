#!/bin/sh
# kernel.sh ROOT: mmdebstrap hook that puts the suite's newest kernel into ROOT.
# It is unpacked, not installed: an installation would spend its time on an initramfs that is never booted.
set -eu
root=$1

package=$(chroot "$root" apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9]\)/\1/p')
[ -n "$package" ] || { echo "linux-image-amd64 depends on no kernel package" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get --quiet --quiet --option APT::Sandbox::User=root download "$package"
mkdir unpacked
dpkg-deb --fsys-tarfile ./*.deb | tar --extract --directory unpacked --exclude=./usr/share --exclude='./boot/System.map*'

# Debian has moved the modules from /lib to /usr/lib in between; the root has one of them as a link to the other.
mkdir -p "$root/usr/lib/modules"
for modules in unpacked/lib/modules unpacked/usr/lib/modules; do
  [ ! -d "$modules" ] || cp -a "$modules"/. "$root/usr/lib/modules/"
done
cp unpacked/boot/vmlinuz-* "$root/boot/"
depmod --basedir "$root" "$(ls "$root/usr/lib/modules")"
