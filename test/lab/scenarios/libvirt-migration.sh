#!/bin/bash
# lab: tier=mid suite=bookworm,trixie in=soak timeout=400
# A guest moves to another host and back. The other host is a second libvirtd with folders of its own, and a state of ours of its own, on the same kernel.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
# shellcheck source=test/lab/scenarios/libvirt.sh
. ./libvirt.sh
ready_for_guests
other=/tmp/other
here='qemu+unix:///system?socket=/run/libvirt/libvirt-sock'
there="qemu+unix:///system?socket=$other/run/libvirt-sock"
mkdir -p $other/run $other/lib $other/profiles $other/state /run/passqemu /etc/passqemu
cp -a /etc/libvirt $other/etc
cp -a /var/cache/libvirt $other/cache
echo 'host_uuid = "00000000-1111-2222-3333-444444444444"' >>$other/etc/libvirtd.conf
start_there() {
  # shellcheck disable=SC2016 # the inner shell has the folder as $1
  unshare --mount --propagation private bash -c '
    mount --bind $1/run /run/libvirt && mount --bind $1/etc /etc/libvirt && mount --bind $1/lib /var/lib/libvirt &&
    mount --bind $1/cache /var/cache/libvirt && mount --bind $1/state /run/passqemu && mount --bind $1/profiles /etc/passqemu &&
    virtlogd -d -p $1/virtlogd.pid && libvirtd -d -p $1/libvirtd.pid' - $other
  wait_for "the other daemon answers" virsh -c "$there" list
}
move() { virsh -c "$1" migrate --live moves "$2" --migrateuri tcp://127.0.0.1; } # move FROM TO
calls() { is "$(tr '\n' ' ' </tmp/calls)" "$1 "; }
runs_on() { is "$(virsh -c "$1" domstate moves | head -n 1)" running; }
xml_on() { virsh -c "$1" dumpxml --migratable moves; }
telling() { # telling WORD: a profile whose commands tell of prepare and release
  printf '[commands]\nprepare-last = /bin/sh -c "echo prepare-%s >>/tmp/calls"\nrelease-last = /bin/sh -c "echo release-%s >>/tmp/calls"\n' "$1" "$1"
}

moves_there_and_back() {
  define_guest moves none no
  telling here | profile moves
  telling there >$other/profiles/moves.ini
  chmod 644 $other/profiles/moves.ini
  check "the other daemon runs" start_there
  check "virsh start" virsh start moves
  before=$(xml_on "$here")
  check "it moves" move "$here" "$there"
  check "it runs there" runs_on "$there"
  check "it is off here" domain_is moves 'shut off'
  wait_for "it is released here" nothing_is_held
  check "it was prepared there, then released here" calls 'prepare-here prepare-there release-here'
  check "the other host holds it" test -e $other/state/moves.jsonl
  check "its XML is what it was" is "$(xml_on "$there")" "$before"
  check "it moves back" move "$there" "$here"
  check "it runs here" runs_on "$here"
  wait_for "it is released there" test ! -e $other/state/moves.jsonl
  check "it was prepared here, then released there" calls 'prepare-here prepare-there release-here prepare-here release-there'
  check "this host holds it" journal_of moves
}
is_not_taken() {
  printf '[cpu\n' >$other/profiles/moves.ini
  check "a host where its profile is broken does not take it" says "Cannot read profile" 1 move "$here" "$there"
  check "it runs on here" runs_on "$here"
  check "and is held" journal_of moves
  rm $other/profiles/moves.ini
  check "a host without a profile of it takes it" move "$here" "$there"
  check "it runs there" runs_on "$there"
  wait_for "it is released here" nothing_is_held
  check "and nobody holds it" test ! -e $other/state/moves.jsonl
  check "it ends there" virsh -c "$there" destroy moves
}
moves_there_and_back
is_not_taken
kill "$(cat $other/libvirtd.pid)" "$(cat $other/virtlogd.pid)"
forget moves
check "everything is as before" same_state
finish
