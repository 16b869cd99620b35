#!/bin/sh
# modules.sh SOURCE TARGET MODULE...: copies the named kernel modules and all that they need from one root to another,
# decompressed (busybox loads no .xz) and without signatures (an emulated processor takes its time to check one), and
# indexes them. A name that this kernel does not have is skipped.
set -eu
source=$1 target=$2
shift 2

version=$(ls "$source/lib/modules")
from=$source/lib/modules/$version
to=$target/lib/modules/$version
list=$(mktemp)
trap 'rm -f "$list"' EXIT

for module; do
  modprobe --dirname "$source" --set-version "$version" --show-depends "$module" 2>/dev/null || true
done | sed -n "s,^insmod .*/lib/modules/$version/\([^ ]*\).*,\1,p" | sort -u >"$list"

mkdir -p "$to"
tar --create --directory "$from" --files-from "$list" | tar --extract --directory "$to"
cp "$from/modules.builtin" "$from/modules.order" "$to/"
[ ! -f "$from/modules.builtin.modinfo" ] || cp "$from/modules.builtin.modinfo" "$to/"
find "$to" -name '*.ko.xz' -exec xz --decompress {} +
find "$to" -name '*.ko.zst' -exec zstd --quiet --decompress --rm {} +

# A signed module ends with the signature, 8 bytes about it, its length in 4 bytes, and a line of 28 bytes.
find "$to" -name '*.ko' | while read -r file; do
  [ "$(tail --bytes 28 "$file" | tr -d '\0')" = '~Module signature appended~' ] || continue
  length=$(tail --bytes 32 "$file" | head --bytes 4 | od --address-radix=n --endian=big --format=u4)
  truncate --size -$((length + 40)) "$file"
done
depmod --basedir "$target" "$version"
