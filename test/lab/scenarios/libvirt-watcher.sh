#!/bin/bash
# lab: tier=full suite=trixie in=full timeout=500
# lab: tier=mid suite=bookworm in=soak timeout=500
# A guest that drives its NIC: the NIC's interrupts reach the guest's CPU, also after it reboots; QEMU's own threads are off that CPU;
# a watcher that costs and holds nothing; the daemon's restart; and all is as before.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
# shellcheck source=test/lab/scenarios/libvirt.sh
. ./libvirt.sh
CPU=5
console=/tmp/console.log

define_nested() {
  python3 -c 'import re, sys; sys.stdout.buffer.write(bytes.fromhex(re.sub("#.*", "", sys.stdin.read())))' <nic-guest.hex >/tmp/one.code
  boot_sector one "$(od -An -v -b /tmp/one.code | tr -d '\n' | sed 's/ /\\0/g')"
  boots=yes domain one $NIC yes "<cputune><vcpupin vcpu='0' cpuset='$CPU'/></cputune>" \
    "<controller type='pci' index='0' model='pcie-root'/><controller type='pci' index='1' model='pcie-root-port'/>
    <serial type='file'><source path='$console'/></serial>$(disk one)"
  sed -i "s,</source></hostdev>,</source><rom bar='off'/><address type='pci' bus='1' slot='0'/></hostdev>," /tmp/one.xml
  virsh define /tmp/one.xml >/dev/null
}
qemu() { cat /run/libvirt/qemu/one.pid; }
watcher() { pgrep -f 'passqemu one watch'; }
boots() { # boots TIMES: so often it has found the NIC
  [ "$(tr -cd N <$console | wc -c)" -ge "$1" ]
}
emulator_off() {
  local thread list
  for thread in "/proc/$(qemu)/task/"*; do
    list=$(sed -n 's/^Cpus_allowed_list:\t//p' "$thread/status")
    case $(cat "$thread/comm") in
    'CPU 0/'*) is "$list" $CPU || return 1 ;;
    *) is "$list" 0-4,6-7 || {
      cat "$thread/comm"
      return 1
    } ;;
    esac
  done
}
# Interrupts of the NIC that CPU $CPU has had; the other CPUs of the host must have none meanwhile
on_cpu() { awk -v column=$((CPU + 2)) '/vfio-.*'"$NIC"'/ { sum += $column } END { print sum + 0 }' /proc/interrupts; }
elsewhere() { awk -v column=$((CPU + 2)) '/vfio-.*'"$NIC"'/ { for (i = 2; i <= 9; i++) if (i != column) sum += $i } END { print sum + 0 }' /proc/interrupts; }
reach_it() { # for two seconds
  local mine others
  mine=$(on_cpu) others=$(elsewhere)
  sleep 2
  echo "# in two seconds $(($(on_cpu) - mine)) on CPU $CPU, $(($(elsewhere) - others)) elsewhere" >/tmp/reached
  [ "$(on_cpu)" -gt "$mine" ] && is "$(elsewhere)" "$others"
}
cpu_ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
gone() { ! watcher; }
all_differ() { # all_differ FD...: no standard stream of the watcher's is anything of libvirt's
  for fd; do is "$(readlink "/proc/$pid/fd/$fd")" /dev/null || return 1; done
}

ready_for_guests
define_nested
check 'enable' passqemu enable one
printf '\n[cpu]\nisolate = no\n' >>/etc/passqemu/one.ini

check 'virsh start' virsh start one
check 'a watcher stays with the guest' wait_for 'the watcher' watcher
pid=$(watcher)
check 'one' is "$(echo "$pid" | wc -w)" 1
check 'it has nothing of libvirt for its output' all_differ 1 2
check 'it has a session of its own' is "$(ps -o sid= -p "$pid" | tr -d ' ')" "$pid"
check 'the guest finds its NIC and drives it' wait_for 'the guest' boots 1
check "the NIC's interrupts come to the guest's CPU" wait_for 'the interrupts' on_guest_cpus
vfio_irqs | sed 's/^/# interrupt /'
check 'where they really arrive' reach_it
cat /tmp/reached
check "QEMU's own threads are off it" emulator_off

virsh reset one >/dev/null
ticks=$(cpu_ticks "$pid")
begun=$SECONDS
check 'the guest boots again' wait_for 'the guest' boots 2
check 'its interrupts come back to its CPU' wait_for 'the interrupts' on_guest_cpus
check 'and arrive there' reach_it
cat /tmp/reached
used=$(($(cpu_ticks "$pid") - ticks))
echo "# the watcher used $used ticks of 10 ms in $((SECONDS - begun)) s; $(grep -E 'VmRSS|RssAnon' "/proc/$pid/status" | tr -s '\t\n ' ' ')"
# It looks once a second. Emulated processors count their time as they like: only ratios hold
looks=$((SECONDS - begun + 1))
TIMEFORMAT='%U %S'
node=$({ time node -e 0; } 2>&1 | awk '{ print int(($1 + $2) * 100) }')
echo "# a start of node uses $node ticks, a look $((used / looks))"
check 'a look of it costs less than a start of node' test $used -lt $((looks * node))
irq=$(vfio_irqs | head -n 1)
echo 0-3 >"/proc/irq/$irq/smp_affinity_list"
check 'an interrupt that somebody has moved comes back' wait_for 'the interrupts' on_guest_cpus

kill -9 "$pid"
stop_libvirtd
start_libvirtd
check 'the guest runs on after a restart of the daemon' wait_for 'the guest' domain_is one running
check 'a new watcher stays with it' wait_for 'the watcher' watcher
check 'the NIC is still where it was' bound $NIC vfio-pci
check 'it is still watched' reach_it
cat /tmp/reached
[ "$LAB_TIER" != full ] || {
  journalctl -t passqemu --no-pager -o cat | sed 's/^/# journal: /'
  check 'the journal tells of it' sh -c 'journalctl -t passqemu -o cat | grep -q "one reconnect: All"'
}

check 'virsh destroy' virsh destroy one
check 'the watcher is gone' wait_for 'its end' gone
check 'the NIC is back' nic_is_home
check 'nothing is held any more' says 'Nothing is held' 0 passqemu status
forget one
check 'everything is as before' same_state
finish
