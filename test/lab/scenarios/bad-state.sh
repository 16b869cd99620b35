#!/bin/bash
# lab: in=full tier=mid suite=trixie timeout=600
# lab: in=soak tier=mid suite=bookworm timeout=600
# A state folder that is full, damaged or from elsewhere; a bundle, a profile or an environment that is not what it was: the
# guest's things go home all the same, or it is said what stands against it, and nobody else is harmed.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
hook=/usr/local/lib/passqemu/qemu
state=/run/passqemu
modprobe -a vfio-pci vfio_iommu_type1

profile a <<'X'
[devices]
nic   = 0000:01:00.0
gpu   = 0000:04:00.0
audio = 0000:04:00.1
[memory]
hugepages = 2M
nodes = 0:32M 1:32M
[knobs]
stat-interval = 10s
transparent-hugepages = never
X
profile b <<'X'
[devices]
nvme = 0000:02:00.0
[knobs]
stat-interval = 10s
X
for guest in a b c; do echo "<domain><name>$guest</name></domain>" >/tmp/$guest.xml; done
take() { passqemu prepare "$1" --domain "/tmp/$1.xml"; }
# Behind & a function is a shell of its own: exec makes the signalled process passqemu itself
give() { passqemu release "$1"; }
# What a prepare changes first, in the middle and last, without the time of a whole dump
is_untouched() {
  is "$(driver 0000:01:00.0) $(driver 0000:04:00.0) $(cat /proc/sys/vm/nr_hugepages) $(cat /proc/sys/vm/stat_interval)" \
    "e1000e bochs-drm 0 1" && is "$(cd $state && echo *.jsonl)" '*.jsonl'
}
fill() { ! dd if=/dev/zero of=$state/filler bs=1k 2>/dev/null; }
# As libvirt runs it: nothing in its environment, the XML on standard input; nothing may come out
bare() { # bare GUEST OPERATION SUBOPERATION
  (cd / && env -i "$hook" "$1" "$2" "$3" - <"/tmp/$1.xml" >/tmp/stdout)
  local status=$?
  [ ! -s /tmp/stdout ] || { echo "on its standard output:" && cat /tmp/stdout && return 99; }
  return $status
}
state_before
mkdir -p $state

# Too little room: all or nothing, whatever the size
for pages in 1 2 3 4 5 6 8; do
  mount -t tmpfs -o size=${pages}p,mode=755 passqemu $state
  if said=$(take a 2>&1); then
    check "room of $pages pages is enough: release" exits 0 give a
  else
    check "room of $pages pages: prepare says why it cannot" is "$? ${said//*No space*/ENOSPC}" "1 ENOSPC"
  fi
  check "room of $pages pages: all is home" is_untouched
  umount $state
done
echo "$said"
mount -t tmpfs -o size=1M,mode=755 passqemu $state
fill
check "a full folder: prepare says why it cannot" says "ENOSPC" 1 take a
check "and nothing was changed" is_untouched
rm $state/filler
check "with room there, a is prepared" exits 0 take a
check "and b" exits 0 take b
fill
check "the folder is full now: b is released" exits 0 give b
check "b's disk is home" bound 0000:02:00.0 nvme
check "a is released" exits 0 give a
rm $state/filler
umount $state
check "all is as before" same_state

# A damaged journal
take a >/dev/null 2>&1
take b >/dev/null 2>&1
cp -p $state/a.jsonl /tmp/a.jsonl
sed -i '4s/.*/\x00\xff{"t":"do" rubbish/' $state/a.jsonl
printf '[devices]\nusb = 0000:03:00.0\n' | profile c
check "a damaged journal stands against every prepare, and is named" says "$state/a.jsonl cannot be read" 1 take c
check "release of its guest says so" says "$state/a.jsonl cannot be read" 3 give a
check "recover too" says "$state/a.jsonl cannot be read" 3 passqemu recover
check "its devices stay where they are" bound 0000:01:00.0 vfio-pci
check "libvirt's release of it is not held up" exits 0 bare a release end
check "another guest is released" exits 0 give b
check "and is home" bound 0000:02:00.0 nvme
cp -p /tmp/a.jsonl $state/a.jsonl
# Its last line torn, as by a kill in the middle of writing it
sed -i '/^$/d' $state/a.jsonl
printf '{"t":"pending","wh' >>$state/a.jsonl
check "a torn last line is as good as none" exits 0 give a
check "all is as before" same_state

# A journal of an earlier boot remembers nothing that is in force
take b >/dev/null 2>&1
sed 's/"guest":"b"/"guest":"old"/; s/"bootId":"[^"]*"/"bootId":"1b4e28ba-2fa1-11d2-883f-0016d3cca427"/; s/0000:02:00.0/0000:01:00.0/g' \
  $state/b.jsonl >$state/old.jsonl
chmod 600 $state/old.jsonl
check "a journal of another boot holds up nobody" exits 0 take a
check "it is gone" test ! -e $state/old.jsonl
check "b is released" exits 0 give b

# The bundle is replaced while the guest is prepared, the profile is gone, and nothing is in the environment
rm /etc/passqemu/a.ini
sed 's/"0\.1\.0"/"9.9.9"/' $hook >/tmp/qemu.new
check "the other bundle is another version" test "$(cksum <$hook)" != "$(cksum </tmp/qemu.new)"
install -m 755 /tmp/qemu.new $hook
check "the hook of another version releases a guest without a profile" exits 0 bare a release end
check "all is as before" same_state
check "b is prepared from an empty environment" exits 0 bare b prepare begin
check "and has its disk" bound 0000:02:00.0 vfio-pci
for operation in started stopped; do
  check "$operation goes well" exits 0 bare b $operation end
done
check "b is released from an empty environment" exits 0 bare b release end
check "a second release does nothing" exits 0 bare b release end
check "all is as before" same_state

# Whoever started it stops listening, or wants it stopped
take b 2>&1 | true
check "a reader that goes away stops nothing" grep -q '^{"t":"ready"' $state/b.jsonl
check "b is released" exits 0 give b
printf '[devices]\nusb = 0000:03:00.0\n[commands]\nprepare-last = /usr/bin/sleep 4\n' | profile c
for signal in TERM HUP INT; do
  (exec passqemu prepare c --domain /tmp/c.xml) >/tmp/c.out 2>&1 &
  until grep -qs '"kind":"command"' $state/c.jsonl; do sleep 0.2; done
  kill -$signal $!
  wait $!
  check "SIG$signal in the middle: prepare says that it was stopped" is "$? $(grep -c "SIG$signal was received" /tmp/c.out)" "1 1"
done
check "all is as before" same_state
echo "# $SECONDS s"
finish
