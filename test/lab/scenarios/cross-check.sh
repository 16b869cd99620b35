#!/bin/bash
# What passqemu says of the machine: against lscpu, lspci, lsusb and numactl, and against its own snapshot, as root and as nobody.
# lab: in=full tier=mid suite=bookworm timeout=300 -- record
# lab: in=soak tier=mid suite=trixie timeout=300
# shellcheck source=test/lab/scenarios/lib.sh
. /lab/files/lib.sh

# cross-check.sh record [COMMAND ...]: the commands shape the machine, which is then recorded (.dev/record-machines.ts)
[ "${1-}" = record ] && recording=yes && shift
for command in "$@"; do eval "$command" || exit; done

node /lab/files/cross-check.mjs passqemu >/tmp/cross.out 2>&1
crossed=$?
sed -n '/^[on#]/p' /tmp/cross.out
check "no difference to the other tools" is "$crossed" 0

# Not what changes by itself: free pages and the time
steady() { node -e '
  const text = require("fs").readFileSync(0, "utf8");
  console.log(text.replace(/"(free|memoryKiB)": \d+/g, "").replace(/[\d.]+ ([KMG]iB|%)/g, ""));
'; }
same_as_snapshot() { # same_as_snapshot FILE COMMAND...
  file=$1
  shift
  "$@" 2>&1 | steady >/tmp/here
  "$@" --sysroot "$file" 2>&1 | steady >/tmp/there
  diff -u /tmp/here /tmp/there
}

# What of doctor must be the same: the answers, not how they tell who should look again
answers() { node -e '
  const { findings } = JSON.parse(require("fs").readFileSync(0, "utf8"));
  for (const { id, status } of findings) console.log(id, status);
'; }
same_answers() { # same_answers FILE COMMAND...
  file=$1
  shift
  "$@" --json | answers >/tmp/here
  "$@" --json --sysroot "$file" | answers >/tmp/there
  [ -s /tmp/here ] && diff -u /tmp/here /tmp/there
}

begun=$(date +%s%N)
check "a snapshot as root" passqemu snapshot /tmp/root.tar.gz
echo "# it took $((($(date +%s%N) - begun) / 1000000)) ms and $(stat -c %s /tmp/root.tar.gz) bytes"
[ -z "${recording-}" ] || {
  cp /tmp/root.tar.gz /lab/out/machine.tar.gz
  finish
}
for command in "devices --json" "topology --json" "pin --json" "devices" "topology" "pin --vcpus 2 --device 0000:41:00.0 --json"; do
  # shellcheck disable=SC2086
  check "the snapshot says the same: $command" same_as_snapshot /tmp/root.tar.gz passqemu $command
done
check "the snapshot says the same: doctor" same_answers /tmp/root.tar.gz passqemu doctor
check "no serial number and no MAC address is in it" is "$(zcat /tmp/root.tar.gz | grep -acE 'LABNVME|52:54:00:aa')" 0

nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
mkdir -m 777 /tmp/nobody
check "a snapshot as an ordinary user" nobody passqemu snapshot /tmp/nobody/n.tar.gz
for command in "devices --json" "topology --json"; do
  # shellcheck disable=SC2086
  check "the ordinary user's says what that user sees: $command" same_as_snapshot /tmp/nobody/n.tar.gz nobody passqemu $command
done

check "the ordinary user's says what that user sees: doctor" same_answers /tmp/nobody/n.tar.gz nobody passqemu doctor

check "a report of the machine" passqemu report /tmp/r.html
check "the report holds every function" is "$(grep -oE '<li><strong><code>[0-9a-f:.]+' /tmp/r.html | wc -l)" "$(find /sys/bus/pci/devices -type l | wc -l)"
check "a picture of the processors" says "<svg" 0 passqemu topology --svg -

profile win11 </dev/null
complete() { # complete SHELL TYPED EXPECTED ...: in a real shell
  passqemu completion "$1" >"/tmp/passqemu.$1"
  shell=$1
  shift
  python3 /lab/files/complete-in-shell.py "$shell" /tmp "$@"
}
check "bash completes a guest" complete bash "passqemu plan w" "passqemu plan win11"
check "zsh completes an address" complete zsh "passqemu pin --device 0000:41" "passqemu pin --device 0000:41:00.0"
check "fish completes a key" complete fish "passqemu help cpu.gov" "passqemu help cpu.governor"

finish
