# shellcheck shell=bash
# Sourced by measure.sh: a whole `virsh start` and `virsh destroy` of one guest without a hook, with hooks in bash that make the same changes, and
# with ours. The hooks in bash are two: "plain", written as guides write them, a script for each thing, without a check; and "bare", one script that
# checks what we check and starts next to no program. The guest's pages are there beforehand where nobody makes them; that is not measured.
export LIBVIRT_DEFAULT_URI=qemu:///system
HOOKS=/etc/libvirt/hooks/qemu.d
NODE0=/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages

# The guest halts at its first instruction: 64 KiB whose last 16 bytes are cli, hlt, jmp back
prepare_virsh() {
  { head -c 65520 /dev/zero && printf '\372\364\353\375' && head -c 12 /dev/zero; } >/tmp/halt.rom
  mkdir -p $HOOKS
  # As people have it: one hook that plays the scripts of a folder for each guest and operation
  for side in plain bare; do
    sed "s/SIDE/$side/" >/tmp/$side-hook <<'X'
#!/bin/bash
scripts=/run/SIDE-hooks/$1/$2/$3
[ -d "$scripts" ] || exit 0
find -L "$scripts" -maxdepth 1 -type f -executable | sort | while read -r script; do "$script" "$@" || exit; done
X
  done
  for call in prepare/begin release/end; do
    mkdir -p /run/{plain,bare}-hooks/bench/$call
    printf '#!/bin/bash\nPAGES=64 exec /bin/bash %s/bare.sh "$2"\n' "$PWD" >/run/bare-hooks/bench/$call/bare.sh
    chmod 755 /run/bare-hooks/bench/$call/bare.sh
    cp plain-hooks/${call%/*}/* /run/plain-hooks/bench/$call
  done
  # measure.sh has it
  # shellcheck disable=SC2154
  sed 's/^node=.*/node=\/usr\/bin\/node/' "$hook" >/tmp/our-hook
  # libvirt remembers from its start whether there was any hook
  use_hook our
  if [ -d /run/systemd/system ]; then
    systemctl start virtlogd libvirtd
  else
    mkdir -p /run/libvirt
    virtlogd -d && libvirtd -d
  fi
  for _ in {1..40}; do virsh define virsh.xml >/dev/null 2>&1 && break || sleep 0.5; done
  virsh dominfo bench >/dev/null || fail 'libvirt does not know the guest'
  cycle none >/dev/null
}
use_hook() { # none, plain, bare or our
  rm -f $HOOKS/*
  # With its date, as an installed hook keeps it: what is kept of its code goes by that
  [ "$1" = none ] || install -p -m 755 "/tmp/$1-hook" "$HOOKS/bench"
}
us() { begun=$EPOCHREALTIME && "$@" >/dev/null && ended=$EPOCHREALTIME && echo $((${ended/./} - ${begun/./})); }
# Between start and destroy the guest runs for a while, as guests do: whoever begins to watch it does that meanwhile, on a processor of its own
# where there is more than the one that the lab emulates
settled() {
  sleep 1
  for _ in {1..100}; do pgrep -f 'passqemu bench watch' >/dev/null || break; grep -qs '"t":"watcher"' /run/passqemu/bench.jsonl && break; sleep 0.1; done
  sleep 1
}
cycle() { # SIDE
  start=$(us virsh start bench) || fail "virsh: $1 does not start"
  taken
  [ "$1" = none ] || changed >"/tmp/changed.$1"
  settled
  destroy=$(us virsh destroy bench) || fail "virsh: $1 does not end"
  home
  echo "bench virsh $1 $((start + destroy))"
  echo "bench virsh-start $1 $start"
}

virsh_cycle() {
  [ -e /tmp/our-hook ] || prepare_virsh
  use_hook none
  echo 64 >$NODE0
  cycle none
  echo 0 >$NODE0
  use_hook plain
  cycle plain
  tidy
  use_hook bare
  cycle bare
  use_hook our
  cycle passqemu
  for side in plain bare; do
    diff "/tmp/changed.$side" /tmp/changed.passqemu >&2 || fail "virsh: what $side has changed is not what passqemu has"
  done
}
# What hooks have changed of the machine while the guest runs. Of interrupts: which are still on the guest's CPUs; where else each goes is a matter of taste
changed() {
  grep . /sys/bus/pci/devices/0000:0[12]:00.0/driver_override $NODE0 /sys/devices/virtual/workqueue/cpumask /proc/irq/default_smp_affinity \
    /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor /sys/fs/cgroup/{system.slice,user.slice,init.scope}/cpuset.cpus.effective
  grep -lE '[2367]|[01]-[45]' /proc/irq/*/smp_affinity_list
}
# What hooks of guides leave behind
tidy() {
  for unit in system.slice user.slice init.scope; do
    systemctl set-property --runtime $unit AllowedCPUs=
    rm -rf "/run/systemd/system.control/$unit.d" "/run/systemd/transient/$unit.d"
  done
}
