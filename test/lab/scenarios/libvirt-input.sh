#!/bin/bash
# lab: tier=mid suite=bookworm in=full timeout=600
# lab: tier=mid suite=trixie in=soak timeout=600
# Bad input to the hook, by hand and through libvirt: 1 only in prepare of a guest with a profile, one line, nothing changed.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
# shellcheck source=test/lab/scenarios/libvirt.sh
. ./libvirt.sh
ready_for_guests
hook=/etc/libvirt/hooks/qemu.d/passqemu

# answers STATUS LINES XML-FILE WORD ...: the hook, run as libvirt runs it, ends so, with so many lines on its standard error and
# none on its standard output; nothing is taken and nothing remembered
answers() {
  want=$1
  lines=$2
  from=$3
  shift 3
  (cd / && env -i LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin "$hook" "$@" <"$from" >/tmp/stdout 2>/tmp/stderr)
  got=$?
  cat /tmp/stdout /tmp/stderr
  [ "$got" = "$want" ] && [ ! -s /tmp/stdout ] && [ "$(wc -l </tmp/stderr)" = "$lines" ] && nic_is_home &&
    nothing_is_held && return
  echo "exit status $got (wanted $want), $(wc -l </tmp/stderr) lines (wanted $lines)"
  return 1
}

define_guest good $NIC yes
printf '[devices]\nnic = %s\n' $NIC | profile good
virsh dumpxml good >/tmp/good.live
head -c 200 /tmp/good.live >/tmp/cut
: >/tmp/empty
printf 'no XML at all \0\377' >/tmp/noise
sed 's,<name>good,<name>other,' /tmp/good.live >/tmp/other
{ sed '/<\/domain>/d' /tmp/good.live && head -c 10485760 /dev/zero | tr '\0' ' ' && echo '</domain>'; } >/tmp/large
{
  echo '<!DOCTYPE domain [<!ENTITY a "lol">'
  last=a
  for entity in b c d e f g h i; do
    echo "<!ENTITY $entity \"&$last;&$last;&$last;&$last;&$last;&$last;&$last;&$last;&$last;&$last;\">"
    last=$entity
  done
  echo '<!ENTITY file SYSTEM "file:///etc/shadow">]>'
  sed "s,<name>good,<name>good\&i;," /tmp/good.live
} >/tmp/laughs

by_hand() {
  for xml in empty cut noise other large laughs; do
    check "prepare with $xml XML" answers 1 1 /tmp/$xml good prepare begin -
    for operation in started stopped release reconnect; do
      check "$operation with $xml XML" answers 0 0 /tmp/$xml good $operation begin -
    done
  done
  check "no arguments" answers 0 1 /tmp/good.live
  check "only a guest" answers 0 1 /tmp/good.live good
  check "an operation that no libvirt has" answers 0 1 /tmp/good.live good juggle begin -
  check "a guest without a profile" answers 0 0 /tmp/cut nobody prepare begin -
  check "a guest called ../../etc/x" answers 0 1 /tmp/good.live ../../etc/x prepare begin -
  : | profile -rf
  check "a guest called -rf with another's XML" answers 1 1 /tmp/good.live -rf prepare begin -
  rm /etc/passqemu/-rf.ini
  long=$(printf '%0255d' 0)
  check "a name of 255 signs" answers 0 0 /tmp/good.live "$long" prepare begin -
  : | profile "${long:0:240}"
  check "a name of 240 signs, with a profile" answers 1 1 /tmp/good.live "${long:0:240}" prepare begin -
  check "its release" answers 0 0 /tmp/good.live "${long:0:240}" release end -
  rm "/etc/passqemu/${long:0:240}.ini"
  broken=$'line\nbreak'
  : | profile "$broken"
  check "a name with a line break, with a profile" answers 1 1 /tmp/good.live "$broken" prepare begin -
  rm "/etc/passqemu/$broken.ini"
}
# The hook as another node would meet it: NODE is what it starts
with_node() { # with_node WHAT NODE
  sed -i "s,^node=.*,node=$2," $hook
  check "$1: prepare by hand" answers 1 1 /tmp/good.live good prepare begin -
  check "$1: a guest without a profile" answers 0 0 /tmp/good.live nobody prepare begin -
  check "$1: release" answers 0 0 /tmp/good.live good release end -
  check "$1: libvirt refuses the start and says why" says "passqemu: Cannot run" 1 virsh start good
  sed -i "s,^node=.*,node=/usr/bin/node," $hook
}
is_without_node() {
  define_guest nobody none no
  mv /usr/bin/node /usr/bin/node.away
  with_node "node is missing" /usr/bin/node
  check "a guest without a profile starts all the same" sh -c 'virsh start nobody && virsh destroy nobody'
  mv /usr/bin/node.away /usr/bin/node
  printf '#!/bin/sh\nexec /usr/bin/node -e "Object.defineProperty(process.versions, \\"node\\", { value: \\"18.20.0\\" }); process.argv.splice(1, 0); require(process.argv[1])" "$@"\n' >/tmp/old-node
  printf '#!/bin/sh\nkill -SEGV $$\n' >/tmp/crashing-node
  chmod 755 /tmp/*-node
  with_node "node is too old" /tmp/old-node
  with_node "node crashes" /tmp/crashing-node
  forget nobody
}
# A journal is there, and what comes with release is not its XML: the guest's things go home all the same
is_released_with_rubbish() {
  for xml in cut laughs large other; do
    (cd / && $hook good prepare begin - </tmp/good.live)
    check "prepared" bound $NIC vfio-pci
    check "release with $xml XML gives back all" answers 0 0 /tmp/$xml good release end -
  done
}
through_libvirt() {
  check "libvirt takes no name with a slash" exits 1 virsh define <(sed 's,<name>good,<name>../../etc/x,; /<uuid>/d' /tmp/good.live)
  check "libvirt's daemon goes on: a good guest starts" virsh start good
  check "and ends" virsh destroy good
}

scenario "bad input by hand" by_hand
scenario "release with any XML" is_released_with_rubbish
scenario "a node that does not work" is_without_node
scenario "through libvirt" through_libvirt
echo "# $scenarios scenarios, $SECONDS s"
finish
