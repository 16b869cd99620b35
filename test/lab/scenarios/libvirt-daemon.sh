#!/bin/bash
# lab: tier=mid suite=bookworm,trixie in=full timeout=600
# The daemon is restarted or killed, the hook comes and goes, while guests run.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
# shellcheck source=test/lab/scenarios/libvirt.sh
. ./libvirt.sh
ready_for_guests
state=/run/passqemu
daemon_ends() { # SIGNAL
  pid=$(cat /run/libvirtd.pid)
  kill "-$1" "$pid"
  wait_for "the daemon is gone" test ! -e "/proc/$pid"
}
daemon_starts() {
  rm -f /run/libvirt/libvirt-sock
  libvirtd -d
  wait_for "the daemon answers" virsh list
}

is_restarted() { # SIGNAL
  guest on
  virsh start on >/dev/null
  cksum <$state/on.jsonl >/tmp/on.before
  daemon_ends "$1"
  check "the guest's NIC stays with it" bound $NIC vfio-pci
  daemon_starts
  check "the daemon finds its guest again" domain_is on running
  check "reconnect has changed nothing that it holds" is "$(cksum <$state/on.jsonl)" "$(cat /tmp/on.before)"
  check "virsh destroy" ends on
  check "the NIC is home" nic_is_home
  forget on
}
# libvirt refuses to destroy what it is reconnecting to at that moment, and destroys it all the same
ends() { virsh destroy "$1" || wait_for "it is off" domain_is "$1" 'shut off'; }
dies_while_the_daemon_is_away() {
  guest lost
  virsh start lost >/dev/null
  qemu=$(cat /run/libvirt/qemu/lost.pid)
  daemon_ends KILL
  kill -9 "$qemu"
  wait_for "QEMU is gone" test ! -e "/proc/$qemu"
  daemon_starts
  wait_for "libvirt knows that it is off" domain_is lost 'shut off'
  wait_for "all is given back" nothing_is_held
  check "the daemon's release has given all back" nothing_is_held
  check "the NIC is home" nic_is_home
  forget lost
}
dies_in_a_start() { # SIGNAL: the daemon, while it waits for our hook
  guest half '[commands]\nprepare-last = /bin/sleep 4\n'
  virsh start half >/tmp/half.out 2>&1 &
  wait_for "the command runs" grep -qs '"kind":"command"' $state/half.jsonl
  kill "-$1" "$(cat /run/libvirtd.pid)"
  wait $!
  check "virsh says that the daemon went away" test $? = 1
  wait_for "the hook is done" sh -c "! grep -qs '\"owner\"' $state/lock"
  wait_for "the daemon is gone" sh -c '! pidof libvirtd'
  daemon_starts
  [ "$(virsh domstate half)" != running ] || ends half >/dev/null
  # Prepared, and no QEMU ever came: libvirt knows nothing of it, and calls nobody
  if [ "$1" = KILL ]; then
    check "what libvirt has forgotten is still held" journal_of half
    check "and told" says 'half' 0 passqemu status
    check "recover gives it back" says 'half is released' 0 passqemu recover
  fi
  check "nothing is held" wait_for "all is given back" nothing_is_held
  check "the NIC is home" nic_is_home
  forget half
}
starts_with_the_daemon() {
  guest auto
  virsh autostart auto >/dev/null
  daemon_ends TERM
  # libvirt starts them once in each boot
  rm -f /run/libvirt/qemu/autostarted
  daemon_starts
  wait_for "it runs" domain_is auto running
  check "a guest that libvirt starts by itself has its NIC" bound $NIC vfio-pci
  check "and a journal" journal_of auto
  virsh autostart --disable auto >/dev/null
  check "it is destroyed" virsh destroy auto
  forget auto
}
hook_comes_later() {
  passqemu hooks uninstall >/dev/null
  guest early
  virsh start early >/dev/null
  check "without the hook libvirt takes the NIC" bound $NIC vfio-pci
  check "nothing of it is ours" nothing_is_held
  check "the hook is installed while the guest runs" exits 0 passqemu hooks install
  check "a daemon that is restarted asks it about a guest that it has never seen" daemon_restarts
  check "that guest runs on" domain_is early running
  check "it ends, and libvirt gives its NIC back" virsh destroy early
  check "the NIC is home" nic_is_home
  forget early
}
daemon_restarts() { daemon_ends TERM && daemon_starts; }
hook_goes_away() {
  guest alone
  virsh start alone >/dev/null
  check "a hook that a guest needs is not uninstalled" says 'alone holds' 1 passqemu hooks uninstall
  check "it is there" exits 0 passqemu hooks status
  check "by force it is, with a word" says 'Nobody gives back what alone holds' 0 passqemu hooks uninstall --force
  check "the guest ends" virsh destroy alone
  check "what it held is not given back by itself" journal_of alone
  check "release by hand gives it back" exits 0 passqemu release alone
  check "the NIC is home" nic_is_home
  passqemu hooks install >/dev/null
  forget alone
}
hook_is_replaced() {
  guest fresh
  virsh start fresh >/dev/null
  sed -i 's/"0\.1\.0"/"9.9.9"/' /usr/local/lib/passqemu/qemu
  check "an update of the hook while the guest runs" says Installed 0 passqemu hooks install
  check "the newer hook gives back what the older took" virsh destroy fresh
  check "the NIC is home" nic_is_home
  sed -i 's/"9\.9\.9"/"0.1.0"/' /usr/local/lib/passqemu/qemu
  passqemu hooks install >/dev/null
  forget fresh
}

scenario "the daemon is restarted while a guest runs" is_restarted TERM
scenario "the daemon is killed while a guest runs" is_restarted KILL
scenario "a guest dies while the daemon is away" dies_while_the_daemon_is_away
scenario "the daemon is stopped in the middle of a start" dies_in_a_start TERM
scenario "the daemon is killed in the middle of a start" dies_in_a_start KILL
scenario "a guest that starts with the daemon" starts_with_the_daemon
scenario "the hook is installed while a guest runs" hook_comes_later
scenario "the hook is uninstalled while a guest runs" hook_goes_away
scenario "the hook is updated while a guest runs" hook_is_replaced
echo "# $scenarios scenarios, $SECONDS s"
finish
