#!/bin/bash
# lab: in=full tier=full suite=trixie timeout=600
# lab: in=soak tier=full suite=bookworm timeout=600
# Settings of the whole host, the sleep inhibitor and commands of the user's under a real systemd: held while any guest
# asks for them, put back by the last one, also after kill -9.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh

thp() { sed 's/.*\[\(.*\)\].*/\1/' /sys/kernel/mm/transparent_hugepage/enabled; }
inhibitors() { systemd-inhibit --list --no-legend | grep -c passqemu; }
# The commands that our inhibitors run
sleepers() { pgrep -cx -f 'sleep infinity'; }
awake() { pgrep -f '^systemd-inhibit.*passqemu guest'; }
command_file() { # command_file NAME: a program that writes down when it was run, then does what standard input says
  { printf '#!/bin/sh\necho "%s $PASSQEMU_OPERATION $PASSQEMU_GUEST $PATH $#" >>/tmp/commands\n' "$1" && cat; } >"/usr/local/bin/$1"
  chmod 755 "/usr/local/bin/$1"
}
ran() { cut -d' ' -f1 /tmp/commands | paste -sd' '; }

command_file first </dev/null
command_file last </dev/null
command_file back-first </dev/null
command_file back-last </dev/null
cat >/tmp/knobs <<'X'
[knobs]
transparent-hugepages = never
ksm = no
rt-runtime-us = 940000
stat-interval = 10s
compaction-proactiveness = 0
X
{ cat /tmp/knobs && cat; } <<'X' | profile one
[commands]
prepare-first = /usr/local/bin/first "a b"
prepare-last = /usr/local/bin/last
release-first = /usr/local/bin/back-first
release-last = /usr/local/bin/back-last
X
profile two </tmp/knobs
sed 's/never/madvise/' /tmp/knobs | profile other
printf '[knobs]\nnmi-watchdog = yes\ntransparent-hugepages = never\n' | profile nmi
base=$(thp)
# Asking for a guest's XML starts libvirt's daemon by its socket
virsh -c qemu:///system list >/dev/null 2>&1
state_before

check 'prepare' exits 0 passqemu prepare one
check 'the value is set' is "$(thp) $(cat /proc/sys/vm/stat_interval) $(cat /proc/sys/kernel/sched_rt_runtime_us)" 'never 10 940000'
check 'sleep is held off' is "$(inhibitors)" 1
check 'the commands ran in their order and environment' is "$(cat /tmp/commands)" 'first prepare-first one /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin 1
last prepare-last one /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin 0'
check 'another value is refused, and the guest that holds it named' says 'guest one holds it at never' 1 passqemu prepare other
check 'the same values are held by two' exits 0 passqemu prepare two
check 'and sleep is held off by two' is "$(inhibitors)" 2
check 'the first one goes' exits 0 passqemu release one
undone=$(grep -c '^undone: ' <<<"$said")
in_the_journal() {
  journalctl --sync
  is "$(journalctl -t passqemu -o cat | grep -c '^one release: undone: ')" "$undone" && [ "$undone" -gt 5 ]
}
check "the system's journal has each of its steps" in_the_journal
check 'with its commands' is "$(ran)" 'first last back-first back-last'
check 'the second one still holds them' is "$(thp) $(inhibitors)" 'never 1'
changed=madvise
[ "$base" = madvise ] && changed=always
echo $changed >/sys/kernel/mm/transparent_hugepage/enabled
check 'status tells what somebody else has changed' says "transparent huge pages is $changed, not never" 0 passqemu status two
check 'the last one goes, and leaves that' says 'somebody else has set since' 0 passqemu release two
check 'it is left' is "$(thp)" $changed
echo "$base" >/sys/kernel/mm/transparent_hugepage/enabled
check 'nobody holds off sleep' is "$(inhibitors) $(sleepers)" '0 0'
check 'everything is as before' same_state

# What the kernel refuses, what fails, what is killed
check 'a value that the kernel refuses undoes everything' says 'NMI watchdog' 1 passqemu prepare nmi
check 'everything is as before' same_state
command_file last <<'X'
echo some words
echo the reason >&2
exit 3
X
check 'a command that fails undoes everything, and its last words are told' says 'ended with status 3: the reason' 1 passqemu prepare one
check 'everything is as before' same_state
command_file last <<'X'
sleep 1000
X
sed 's/^prepare-last =.*/&\nprepare-last-timeout = 1s/' /etc/passqemu/one.ini | profile slow
check 'a command that takes too long is ended' says 'not ended within 1 s' 1 passqemu prepare slow
check 'with what it started' is "$(pgrep -cx -f 'sleep 1000')" 0
check 'everything is as before' same_state
passqemu prepare one >/tmp/one.log 2>&1 &
prepare=$!
patience=$((SECONDS + 60))
until pgrep -x -f 'sleep 1000' >/dev/null || [ $SECONDS -ge $patience ]; do sleep 0.1; done
kill -9 $prepare
wait $prepare 2>/dev/null
check 'a prepare that was killed in a command holds off sleep' is "$(inhibitors)" 1
pkill -x -f 'sleep 1000'
check 'recover puts all back' exits 0 passqemu recover
check 'everything is as before' same_state
command_file last </dev/null
command_file back-last <<'X'
[ -e /tmp/ready ] || exit 1
X
check 'prepare' exits 0 passqemu prepare one
check 'a failing command of the release is told, and stays to be done' says 'status 1' 3 passqemu release one
touch /tmp/ready
: >/tmp/commands
check 'the next release runs it again, and no other' exits 0 passqemu release one
check 'only that' is "$(ran)" back-last
chmod 777 /usr/local/bin/first
check 'a program that everybody may write is refused' says 'others than its owner may write it' 1 passqemu prepare one
chmod 755 /usr/local/bin/first

# The inhibitor's own death
check 'prepare' exits 0 passqemu prepare two
kill -9 "$(awake)"
sleep 1
check 'nothing stays of an inhibitor that was killed' is "$(inhibitors) $(sleepers)" '0 0'
check 'status tells of it' says 'nothing holds off sleep any more' 0 passqemu status two
check 'release has no trouble with that' exits 0 passqemu release two
systemctl mask --now systemd-logind.service >/dev/null 2>&1
check 'a host without logind is a note' says 'The host may sleep while the guest runs' 0 passqemu prepare two
check 'release' exits 0 passqemu release two
systemctl unmask systemd-logind.service >/dev/null 2>&1
systemctl start systemd-logind.service
check 'everything is as before it all' same_state
finish
