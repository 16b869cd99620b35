#!/bin/bash
# lab: tier=mid suite=bookworm iommu=none in=short timeout=500
# lab: tier=mid suite=trixie iommu=none in=soak timeout=500
# lab: tier=full suite=bookworm iommu=none in=full timeout=600
# lab: tier=full suite=trixie iommu=none in=soak timeout=600
# The host is kept off the guests' CPUs and gets them back: slices under systemd, a partition without; interrupts,
# workqueues, governors; tasks that were pinned before stay so, on kernels that forget it too.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh

C=/sys/fs/cgroup
systemd=
[ ! -d /run/systemd/system ] || systemd=yes

profile one <<'X'
[cpu]
guest = 4-5
governor = performance
X
profile two <<'X'
[cpu]
guest = 6-7
governor = performance
X
profile clash <<'X'
[cpu]
guest = 5-6
X
profile all <<'X'
[cpu]
guest = 0-7
X
profile beyond <<'X'
[cpu]
guest = 6-9
X

allowed() { sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' "/proc/$1/status"; }
# The CPUs that what runs on the host may use
host_cpus() {
  if [ $systemd ]; then
    for unit in system.slice user.slice init.scope; do cat $C/$unit/cpuset.cpus.effective; done | sort -u
  else
    cat $C/cpuset.cpus.effective
  fi
}
# No interrupt that somebody handles may go to one of the CPUs, but those that the kernel manages and CPU 0's own
free_of_irqs() {
  for folder in /proc/irq/[0-9]*; do
    [ -n "$(find "$folder" -mindepth 1 -type d)" ] || continue
    list=$(cat "$folder/smp_affinity_list")
    python3 - "$list" "$1" "$folder" <<'X' || return 1
import os, sys
def cpus(text):
    return {n for part in text.split(",") for a, _, b in [part.partition("-")] for n in range(int(a), int(b or a) + 1)}
there, ours = cpus(sys.argv[1]), cpus(sys.argv[2])
if there & ours:
    try:
        os.write(os.open(sys.argv[3] + "/smp_affinity_list", os.O_WRONLY), sys.argv[1].encode())
    except OSError:
        sys.exit(0)
    print(sys.argv[3], "may go to", sys.argv[1])
    sys.exit(1)
X
  done
}
governor() { cat /sys/devices/system/cpu/cpu"$1"/cpufreq/scaling_governor; }

# Tasks that are pinned: to a CPU of the host, to CPUs of both, to a guest's
pinned=
for list in 1 2-5 6; do
  if [ $systemd ]; then
    systemd-run -q --unit="pinned-$list" -p CPUAffinity=$list sleep 1000
    pinned="$pinned $(systemctl show -p MainPID --value "pinned-$list")"
  else
    taskset -c $list sleep 1000 &
    pinned="$pinned $!"
  fi
done
read -r near across far <<<"$pinned"
# Asking libvirt for a guest starts its daemon by socket: that is not ours to compare
[ ! -d /run/systemd/system ] || virsh -c qemu:///system list >/dev/null 2>&1
state_before

check "a guest that would leave the host no CPU is refused" says "none is left for the host" 1 passqemu prepare all
check "CPUs that do not exist are refused" says "CPUs 8-9" 1 passqemu prepare beyond
check "plan changes nothing" exits 0 passqemu plan one
check "refusals and plan have changed nothing" same_state

time passqemu prepare one
check "the host is off the first guest's CPUs" is "$(host_cpus)" 0-3,6-7
check "interrupts are off them" free_of_irqs 4-5
check "new interrupts too" is "$(cat /proc/irq/default_smp_affinity)" cf
check "unbound workqueues too" is "$(cat /sys/devices/virtual/workqueue/cpumask)" cf
check "their governor is set" is "$(governor 4)" performance
check "a CPU of another guest is refused and its holder named" says "one" 1 passqemu prepare clash
check "a task pinned to a CPU of the host still is" is "$(allowed "$near")" 1
check "one pinned across keeps what is the host's" is "$(allowed "$across")" 2-3
time passqemu prepare two
check "the host is off both guests' CPUs" is "$(host_cpus)" 0-3
check "interrupts are off them" free_of_irqs 4-7
if [ $systemd ]; then
  systemctl daemon-reload
  sleep 1
  check "a daemon-reload changes nothing of it" is "$(host_cpus)" 0-3
  check "a new unit of the host is off them too" is "$(systemd-run -q --wait --pipe sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)" 0-3
  check "a guest can use them" is "$(systemd-run -q --wait --pipe --slice=machine.slice taskset -c 4-7 sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)" 4-7
else
  check "the partition is one" is "$(cat $C/machine/cpuset.cpus.partition)" root
  check "a guest can use them" is "$(sh -c "echo \$\$ >$C/machine/cgroup.procs; exec taskset -c 4-7 sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status")" 4-7
fi
time passqemu release one
check "the host has the first guest's CPUs again" is "$(host_cpus)" 0-5
check "their governor too" is "$(governor 4)" "$(governor 0)"
check "the second guest's are still free of interrupts" free_of_irqs 6-7
time passqemu release two
check "everything is as before" same_state
check "the pins too" is "$(allowed "$near") $(allowed "$across") $(allowed "$far")" "1 2-5 6"
[ ! $systemd ] || check "no drop-in of ours is left" is "$(find /run/systemd -name 50-AllowedCPUs.conf)" ""

# A process that is killed in the middle: the next one puts everything back. The times are parts of what a prepare takes.
begun=$(date +%s%N)
passqemu prepare one >/dev/null 2>&1
took=$(($(date +%s%N) - begun))
passqemu release one >/dev/null 2>&1
for percent in ${KILLS:-50 80}; do
  passqemu prepare one >/dev/null 2>&1 &
  victim=$!
  sleep "$((took * percent / 100000000000)).$(printf %09d $((took * percent / 100 % 1000000000)))"
  kill -9 $victim 2>/dev/null
  wait $victim 2>/dev/null
  passqemu release one >/dev/null 2>&1
  check "prepare killed after $percent % of its time, then release: everything is as before" same_state
done
finish
