#!/bin/sh
# bare.sh prepare|release: what `prepare` and `release` of the profile in by-hand.sh change, with the same checks and the
# same looking afterwards, as a person would write it down for this one machine. It remembers in plain files, undoes
# nothing when a step fails and knows of no other guest.
B=/sys/bus/pci/devices
SAVED=/run/bare
FUNCTIONS='0000:01:00.0 0000:02:00.0'
POOL=/sys/devices/system/node/node0/hugepages/hugepages-2048kB
# 512 unless the caller wants other
PAGES=${PAGES:-512}
GUEST_CPUS='2 3 6 7'
HOST_CPUS=0-1,4-5
HOST_MASK=33
GOVERNOR=powersave
UNITS='system.slice user.slice init.scope'
CPUS=/sys/devices/system/cpu
CGROUPS=/sys/fs/cgroup

fail() {
  echo "bare: $*" >&2
  exit 1
}

# What was done, for the system's journal: told at the end, in one piece
story=
tell() {
  story="$story$*
"
}
tell_all() { [ ! -e /dev/log ] || printf %s "$story" | logger --tag bare; }

driver_of() { # into $driver, "none" where there is none
  driver=none
  [ -e "$B/$1/driver" ] && driver=$(readlink "$B/$1/driver") && driver=${driver##*/}
}

check_function() { # ADDRESS VENDOR DEVICE
  [ -d "$B/$1" ] || fail "no function $1"
  read -r vendor <"$B/$1/vendor"
  read -r device <"$B/$1/device"
  [ "$vendor $device" = "$2 $3" ] || fail "$1 is $vendor:$device"
  read -r class <"$B/$1/class"
  case $class in 0x0604*) fail "$1 is a bridge" ;; esac
  if [ -e "$B/$1/sriov_numvfs" ]; then
    read -r count <"$B/$1/sriov_numvfs"
    [ "$count" = 0 ] || fail "$1 has virtual functions"
  fi
  for member in "$B/$1"/iommu_group/devices/*; do
    case " $FUNCTIONS " in *" ${member##*/} "*) continue ;; esac
    read -r class <"$member/class"
    case $class in 0x0604*) continue ;; esac
    [ ! -e "$member/driver" ] || fail "$1 shares its group with ${member##*/}"
  done
}

check_disks() { # ADDRESS: not mounted, no swap, nothing stacked on it, not claimed
  for disk in "$B/$1"/nvme/nvme*/nvme*n*; do
    [ -d "$disk" ] || continue
    ! grep -q "^/dev/${disk##*/}" /proc/self/mounts || fail "${disk##*/} is mounted"
    ! grep -q "^/dev/${disk##*/}" /proc/swaps || fail "${disk##*/} is swap"
    for holder in "$disk"/holders/* "$disk"/*/holders/*; do
      [ ! -e "$holder" ] || fail "${disk##*/} is part of ${holder##*/}"
    done
  done
}

check_network() { # ADDRESS: not the way out
  for interface in "$B/$1"/net/*; do
    [ -d "$interface" ] || continue
    ! grep -q "^${interface##*/}[[:space:]]00000000[[:space:]]" /proc/net/route || fail "${interface##*/} is the way out"
    ! grep -q "^0\{32\} 00 .* ${interface##*/}$" /proc/net/ipv6_route || fail "${interface##*/} is the way out"
  done
}

check_holders() { # ADDRESS: nobody has a node of it open, or only for a moment, as udev has
  nodes=
  for node in "$B/$1"/nvme/nvme* "$B/$1"/nvme/nvme*/nvme*n* "$B/$1"/nvme/nvme*/ng*n*; do
    [ ! -d "$node" ] || nodes="$nodes /dev/${node##*/}"
  done
  [ -n "$nodes" ] || return 0
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    find_holder
    [ -n "$holder" ] || return 0
    sleep 0.2
  done
  fail "a node of $1 is open after $attempt looks: $holder"
}

find_holder() { # of $nodes, into $holder
  # Every sh of Debian and Fedora has -ef
  # shellcheck disable=SC3013
  for holder in /proc/[0-9]*/fd/*; do
    [ -c "$holder" ] || [ -b "$holder" ] || continue
    for node in $nodes; do [ "$holder" -ef "$node" ] && return; done
  done
  holder=
}

check_memory() {
  read -r pages <"$POOL/nr_hugepages"
  read -r free <"$POOL/free_hugepages"
  missing=$((PAGES - free))
  [ "$missing" -gt 0 ] || missing=0
  available=$(awk '/MemFree|Active\(file\)|Inactive\(file\)|SReclaimable/ { sum += $4 } END { print sum }' \
    "${POOL%/hugepages/*}/meminfo")
  [ "$available" -gt $((missing * 2048)) ] || fail 'too little memory'
}

check_cpus() {
  for cpu in $GUEST_CPUS; do
    read -r online <"$CPUS/cpu$cpu/online"
    [ "$online" = 1 ] || fail "CPU $cpu is offline"
    case " $(cat "$CPUS/cpu$cpu/cpufreq/scaling_available_governors") " in
    *" $GOVERNOR "*) ;;
    *) fail "no governor $GOVERNOR" ;;
    esac
  done
}

take_pages() {
  echo "$pages" >$SAVED/pages
  [ "$missing" = 0 ] && return
  echo $((pages + missing)) >"$POOL/nr_hugepages"
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    read -r free <"$POOL/free_hugepages"
    [ "$free" -ge $PAGES ] && tell "$free pages are free" && return
    echo 1 >/proc/sys/vm/compact_memory
    sleep 1
    echo $((pages + missing)) >"$POOL/nr_hugepages"
  done
  fail "$free pages only after $attempt attempts"
}

bind() { # ADDRESS DRIVER LAST-OVERRIDE
  driver_of "$1"
  echo "$2" >"$B/$1/driver_override"
  [ "$driver" = none ] || echo "$1" >"$B/$1/driver/unbind"
  echo "$1" >/sys/bus/pci/drivers_probe
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    driver_of "$1"
    [ "$driver" = "$2" ] && break
    sleep 0.2
  done
  [ "$driver" = "$2" ] || fail "$1 is bound to $driver after $attempt looks"
  [ $# = 2 ] || echo "$3" >"$B/$1/driver_override"
  tell "bound $1 to $2"
}

take_function() { # ADDRESS
  driver_of "$1"
  read -r override <"$B/$1/driver_override"
  read -r control <"$B/$1/power/control"
  [ "$override" = '(null)' ] && override=
  echo "$driver $control $override" >"$SAVED/$1"
  check_holders "$1"
  bind "$1" vfio-pci
}

give_function() { # ADDRESS
  read -r home control override <"$SAVED/$1"
  bind "$1" "$home" "$override"
  read -r now <"$B/$1/power/control"
  [ "$now" = "$control" ] || echo "$control" >"$B/$1/power/control"
}

narrow_units() {
  for unit in $UNITS; do
    { read -r list <"$CGROUPS/$unit/cpuset.cpus.effective"; } 2>/dev/null || read -r list <"$CPUS/online"
    echo "$list" >"$SAVED/$unit"
    systemctl set-property --runtime "$unit" AllowedCPUs=$HOST_CPUS || fail "$unit is not narrowed"
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
      read -r list <"$CGROUPS/$unit/cpuset.cpus.effective" && [ "$list" = $HOST_CPUS ] && break
      sleep 0.1
    done
    [ "$list" = $HOST_CPUS ] || fail "$unit has $list after $attempt looks"
    tell "narrowed $unit"
  done
}

widen_units() {
  for unit in $UNITS; do
    read -r before <"$SAVED/$unit"
    # First, or 6.12 leaves tasks with the CPUs that they have when systemd takes the controller away
    echo "$before" >"$CGROUPS/$unit/cpuset.cpus" || fail "$unit is not widened"
    systemctl set-property --runtime "$unit" AllowedCPUs= || fail "$unit is not released"
    # Gone with the controller, perhaps while we look
    list=$before
    { read -r now <"$CGROUPS/$unit/cpuset.cpus.effective"; } 2>/dev/null && list=$now
    [ "$list" = "$before" ] || fail "$unit has $list"
    for folder in "/run/systemd/system.control/$unit.d" "/run/systemd/transient/$unit.d"; do
      [ ! -e "$folder/50-AllowedCPUs.conf" ] || rm "$folder/50-AllowedCPUs.conf"
      [ ! -d "$folder" ] || rmdir "$folder"
    done
    tell "widened $unit"
  done
}

# Without systemd: the guest's CPUs become a partition of their own
make_partition() {
  read -r controllers <$CGROUPS/cgroup.subtree_control || controllers=
  echo "$controllers" >$SAVED/controllers
  case " $controllers " in *' cpuset '*) ;; *) echo +cpuset >$CGROUPS/cgroup.subtree_control ;; esac
  mkdir -p $CGROUPS/machine
  echo "$GUEST_CPUS" | tr ' ' , >$CGROUPS/machine/cpuset.cpus
  echo root >$CGROUPS/machine/cpuset.cpus.partition
  read -r partition <$CGROUPS/machine/cpuset.cpus.partition
  read -r list <$CGROUPS/cpuset.cpus.effective
  [ "$partition $list" = "root $HOST_CPUS" ] || fail "the partition is $partition, the host has $list"
}

drop_partition() {
  echo member >$CGROUPS/machine/cpuset.cpus.partition
  rmdir $CGROUPS/machine
  read -r controllers <$SAVED/controllers
  case " $controllers " in *' cpuset '*) ;; *) echo -cpuset >$CGROUPS/cgroup.subtree_control ;; esac
  read -r list <$CGROUPS/cpuset.cpus.effective
  [ "$list" = 0-7 ] || fail "the host has $list"
}

move_interrupts() {
  read -r mask </proc/irq/default_smp_affinity
  echo "$mask" >$SAVED/mask
  echo $HOST_MASK >/proc/irq/default_smp_affinity
  : >$SAVED/irqs
  for irq in /proc/irq/[0-9]*; do
    read -r list <"$irq/smp_affinity_list"
    case $list in *[2367]* | *-*) ;; *) continue ;; esac
    for action in "$irq"/*/; do [ -d "$action" ] && break; done
    [ -d "$action" ] || continue
    echo "$irq $list" >>$SAVED/irqs
    { echo $HOST_CPUS >"$irq/smp_affinity_list"; } 2>/dev/null || echo "$irq" >>$SAVED/refused
  done
  tell 'moved the interrupts'
}

move_interrupts_back() {
  read -r mask <$SAVED/mask
  echo "$mask" >/proc/irq/default_smp_affinity
  while read -r irq list; do
    [ -e "$irq" ] || continue
    read -r now <"$irq/smp_affinity_list"
    [ "$now" = "$list" ] || { echo "$list" >"$irq/smp_affinity_list"; } 2>/dev/null || :
  done <$SAVED/irqs
  tell 'moved the interrupts back'
}

move_workqueues() {
  read -r mask </sys/devices/virtual/workqueue/cpumask
  echo "$mask" >$SAVED/workqueues
  echo $HOST_MASK >/sys/devices/virtual/workqueue/cpumask
  read -r mask </sys/devices/virtual/workqueue/cpumask
  [ "$mask" = $HOST_MASK ] || fail "workqueues have $mask"
  tell 'moved the workqueues'
}

move_workqueues_back() {
  read -r before <$SAVED/workqueues
  echo "$before" >/sys/devices/virtual/workqueue/cpumask
  read -r mask </sys/devices/virtual/workqueue/cpumask
  [ "$mask" = "$before" ] || fail "workqueues have $mask"
  tell 'moved the workqueues back'
}

set_governor() { # CPU GOVERNOR
  file=$CPUS/cpu$1/cpufreq/scaling_governor
  echo "$2" >"$file"
  read -r now <"$file"
  [ "$now" = "$2" ] || fail "CPU $1 has the governor $now"
  tell "set the governor $2 on CPU $1"
}

# Kernels before 6.2 forget where tasks are pinned: what is pinned now is looked at before and after
pinned_tasks() { grep -s '^Cpus_allowed_list:' /proc/[0-9]*/task/[0-9]*/status | grep -v ':[[:space:]]*0-7$' >"$1" || :; }
forgets() {
  read -r release </proc/sys/kernel/osrelease
  case $release in 4.* | 5.* | 6.[01].*) ;; *) return 1 ;; esac
}

case $1 in
prepare)
  rm -rf $SAVED
  mkdir -m 700 $SAVED
  check_function 0000:01:00.0 0x8086 0x10d3
  check_function 0000:02:00.0 0x1b36 0x0010
  for function in $FUNCTIONS; do
    check_disks "$function"
    check_network "$function"
    check_holders "$function"
  done
  check_memory
  check_cpus
  take_pages
  for function in $FUNCTIONS; do take_function "$function"; done
  if forgets; then pinned_tasks $SAVED/pinned; fi
  if [ -d /run/systemd/system ]; then narrow_units; else make_partition; fi
  if forgets; then pinned_tasks $SAVED/pinned.now; fi
  move_interrupts
  move_workqueues
  for cpu in $GUEST_CPUS; do
    read -r governor <"$CPUS/cpu$cpu/cpufreq/scaling_governor"
    echo "$governor" >"$SAVED/governor$cpu"
    set_governor "$cpu" $GOVERNOR
  done
  ;;
release)
  [ -d $SAVED ] || exit 0
  for group in 1 2; do [ ! -e /dev/vfio/$group ] || : </dev/vfio/$group; done 2>/dev/null
  for cpu in $GUEST_CPUS; do
    read -r governor <"$SAVED/governor$cpu"
    set_governor "$cpu" "$governor"
  done
  move_workqueues_back
  move_interrupts_back
  if forgets; then pinned_tasks $SAVED/pinned.now; fi
  if [ -d /run/systemd/system ]; then widen_units; else drop_partition; fi
  if forgets; then pinned_tasks $SAVED/pinned.now; fi
  for function in $FUNCTIONS; do give_function "$function"; done
  read -r before <$SAVED/pages
  echo "$before" >"$POOL/nr_hugepages"
  read -r pages <"$POOL/nr_hugepages"
  [ "$pages" = "$before" ] || fail "$pages pages are left"
  tell 'gave the pages back'
  rm -r $SAVED
  ;;
esac
tell_all
