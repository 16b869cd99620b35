#!/bin/bash
# lab: in=soak tier=mid suite=bookworm,trixie timeout=400
# passqemu run with programs beside QEMU: a TPM (swtpm) whose state stays, a shared folder (virtiofsd), the guest's console on the
# launcher's own terminal. All of them end with the guest, and with a QEMU whose launcher was killed.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
block=passqemu-block-$RANDOM
out=/tmp/tools.out

# wait_for WHAT COMMAND [ARG ...]: until the command succeeds, two minutes at most
wait_for() {
  local what=$1 patience=$((SECONDS + 120))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$patience" ] || {
      echo "# waited in vain for: $what"
      tail -n 5 $out
      return 1
    }
    sleep 0.5
  done
}
of() { sed -n "s/.*\"$1\":{\"pid\":\([0-9]*\).*/\1/p" /run/passqemu/tools.run; }
# The number of a program that runs, by its name
number() {
  local comm
  for comm in /proc/[0-9]*/comm; do [ "$(cat "$comm" 2>/dev/null)" != "$1" ] || echo "${comm//[!0-9]/}"; done
}
none() { [ -z "$(number "$1")" ]; }
empty() { is "$(ls /run/passqemu)" ''; }
# The launcher has a terminal of its own; its exit status is the last thing that it shows
start() {
  socat - EXEC:/tmp/go,pty,setsid,ctty </tmp/keys >$out 2>&1 &
  check 'its console is the terminal of the launcher' wait_for 'GUEST ready' grep -q 'GUEST ready' $out
}
printf '#!/bin/sh\npassqemu run tools\necho "ended with $?"\n' >/tmp/go
chmod +x /tmp/go
mkfifo /tmp/keys
exec 3<>/tmp/keys

# A disk with a guest of one boot sector that reads block 7 of it
truncate -s 1M /tmp/tools.raw
put_drive_guest /tmp/tools.raw "$block"
mkdir -p /tmp/shared
profile tools <<X
[machine]
memory = 64M
accel = tcg
vcpus = 1
rng = no
[firmware]
type = bios
[display]
type = none
[agent]
enable = no
[serial]
type = stdio
[knobs]
inhibit-sleep = no
[disk system]
source = /tmp/tools.raw
cache = writeback
[tpm]
type = swtpm
[share first]
source = /tmp/shared
X
begun=$SECONDS
start
echo "# up after $((SECONDS - begun)) s"
check 'it reads its disk' grep -q "GUEST block $block" $out
check 'it has the TPM' says '"tpm-crb"' 0 passqemu monitor tools query-tpm
check 'and the shared folder' says 'tag = "first"' 0 passqemu monitor tools ':info qtree'
check 'swtpm runs' test -n "$(number swtpm)"
check 'virtiofsd runs' test -n "$(number virtiofsd)"
check 'the guest powers off when it is asked' says 'tools is stopped' 0 passqemu stop tools
check 'the launcher is content' wait_for 'the end' grep -q 'ended with 0' $out
check 'swtpm has ended' none swtpm
check 'virtiofsd has ended' none virtiofsd
check 'nothing is left' empty
check 'the TPM keeps its state' test -s /var/lib/passqemu/tools/tpm/tpm2-00.permall

# Making the state anew would be seen: what makes it fails now
mount --bind /bin/false "$(command -v swtpm_setup)"
begun=$SECONDS
start
echo "# up after $((SECONDS - begun)) s"
check 'the TPM is the same one' says '"tpm-crb"' 0 passqemu monitor tools query-tpm
qemu=$(of qemu)
kill -9 "$(of launcher)"
check 'its launcher killed, the guest goes on' test -d "/proc/$qemu"
check 'stop ends it' says 'tools is stopped' 0 passqemu stop tools
check 'QEMU has ended' test ! -d "/proc/$qemu"
check 'and swtpm' wait_for 'swtpm' none swtpm
check 'and virtiofsd' wait_for 'virtiofsd' none virtiofsd
check 'nothing is left' empty
finish
