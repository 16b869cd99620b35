#!/bin/bash
# lab: in=full tier=mid suite=bookworm timeout=500
# lab: in=soak tier=mid suite=trixie timeout=500
# The main job on a real kernel, for a person who watches (npm run demo): a guest's devices, memory and CPUs are taken, a
# second guest is refused, a prepare is killed in the middle, a guest is run without libvirt, and in the end everything is as it was.
# --colour paints headings.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
bold='' dim='' plain=''
if [ "${1-}" = --colour ]; then bold=$'\e[1;36m' dim=$'\e[2m' plain=$'\e[0m'; fi

chapter=0
heading() {
  chapter=$((chapter + 1))
  printf '\n%s%d. %s%s\n' "$bold" "$chapter" "$1" "$plain"
}

# show COMMAND [ARG ...]: the command as one would type it, then what it says; its exit status
show() {
  printf '%s$ %s%s\n' "$dim" "$*" "$plain"
  "$@" 2>&1
}

# Waits without starting a process, so that the moment is hit
wait_for_driver() {
  local patience=$((SECONDS + 60))
  until [ -e "/sys/bus/pci/drivers/$2/$1" ]; do
    [ "$SECONDS" -lt "$patience" ] || return 1
  done
}

drivers() {
  local address
  for address in 0000:01:00.0 0000:02:00.0 0000:04:00.0 0000:04:00.1; do
    printf '  %s is on %s\n' "$address" "$(driver "$address")"
  done
}

heading "A machine with an IOMMU: a $(uname -r) kernel, 8 CPUs, 2 NUMA nodes"
state_before
printf 'Its state is written down: %d lines (drivers, pages, CPU sets, interrupts, governors, knobs …).\n' "$(wc -l </tmp/state.before)"
check 'there is something to compare' test "$(wc -l </tmp/state.before)" -gt 100
show passqemu devices

heading 'A guest: the card, its sound, a NIC and a drive, 64 MiB of huge pages, four CPUs'
profile win11 <<'X'
[devices]
nic   = 0000:01:00.0 8086:10d3
drive = serial LABNVME0
card  = 0000:04:00.0
sound = 0000:04:00.1

[memory]
hugepages = 2M
nodes     = 0:32M 1:32M

[cpu]
guest    = 2-3,6-7
governor = performance

[knobs]
transparent-hugepages = never
X
show cat /etc/passqemu/win11.ini

heading 'What its start will change. Nothing has been changed yet'
show passqemu plan win11
check 'the plan lists the NIC' says 'bind 0000:01:00.0 to vfio-pci' 0 passqemu plan win11
check 'plan changed nothing' same_state

heading 'Prepare: all of it or nothing'
show passqemu prepare win11
drivers
check 'the NIC is on vfio-pci' bound 0000:01:00.0 vfio-pci
check 'the drive is on vfio-pci' bound 0000:02:00.0 vfio-pci
check 'the card is on vfio-pci' bound 0000:04:00.0 vfio-pci
check 'its sound is on vfio-pci' bound 0000:04:00.1 vfio-pci

heading 'Who holds what'
show passqemu status

heading 'A second guest wants the same NIC'
profile ubuntu <<'X'
[devices]
nic = 0000:01:00.0
X
show passqemu prepare ubuntu
check 'it is refused, and told who has the NIC' says win11 1 passqemu prepare ubuntu

heading 'Release: everything goes back'
show passqemu release win11
drivers
check 'everything is as it was' same_state

heading 'The same again, but this time the process is killed in the middle (kill -9)'
passqemu prepare win11 &
victim=$!
wait_for_driver 0000:01:00.0 vfio-pci
kill -9 "$victim"
wait "$victim" 2>/dev/null
check 'it was killed in the middle: the NIC is taken …' bound 0000:01:00.0 vfio-pci
check '… and the end was not reached' says interrupted 0 passqemu status win11
drivers
show passqemu status

heading 'Recover: what nobody alive holds is given back'
show passqemu recover
drivers
check 'nothing is held any more' says 'Nothing is held' 0 passqemu status

heading 'A guest without libvirt: passqemu run starts QEMU itself'
disk=$(basename "$(ls -d $B/0000:02:00.0/nvme/nvme*/nvme*n1)")
printf 'Its drive gets a guest of one boot sector, which reads block 7 of it and looks for the NIC.\n'
put_drive_guest "/dev/$disk" demo-block
profile tiny <<'X'
[machine]
memory = 64M
accel  = tcg
vcpus  = 1
rng    = no
[firmware]
type = bios
[display]
type = none
[agent]
enable = no
[serial]
type = file
path = /tmp/tiny.serial
[cpu]
guest    = 2-3
pins     = 3
emulator = 2
[devices]
nic   = 0000:01:00.0
drive = 0000:02:00.0
[device nic]
rom-bar = no
X
printf '%s$ passqemu run tiny%s\n' "$dim" "$plain"
passqemu run tiny &
launcher=$!
patience=$((SECONDS + 120))
until grep -q 'GUEST ready' /tmp/tiny.serial 2>/dev/null; do
  [ "$SECONDS" -lt "$patience" ] && kill -0 $launcher 2>/dev/null || break
  sleep 0.2
done
sed 's/^/  /' /tmp/tiny.serial
check 'the guest has read its block' grep -q 'GUEST block demo-block' /tmp/tiny.serial
check 'and sees the NIC' grep -q 'GUEST nic' /tmp/tiny.serial
for task in /proc/"$(sed -n 's/.*"qemu":{"pid":\([0-9]*\).*/\1/p' /run/passqemu/tiny.run)"/task/*; do
  printf '  %s may use CPU %s\n' "$(<"$task/comm")" "$(sed -n 's/^Cpus_allowed_list:\t//p' "$task/status")"
done
printf 'Ctrl-C: the guest is asked to power down, and then everything goes back.\n'
kill -INT $launcher
wait $launcher
check 'the launcher is content' is $? 0
check 'everything is as it was' same_state

heading 'Is everything as it was before the first command?'
check 'the state is the same, line by line' same_state
if same_state >/tmp/differences; then
  printf 'All back: %d lines of state, no difference.\n' "$(wc -l </tmp/state.after)"
else
  printf 'Not all is back:\n'
  cat /tmp/differences
fi
finish
