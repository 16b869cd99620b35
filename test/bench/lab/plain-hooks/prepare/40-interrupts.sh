#!/bin/bash
# The host's interrupts and workqueues off them, too
cat /proc/irq/default_smp_affinity >/run/plain/mask
echo 33 >/proc/irq/default_smp_affinity
rm -f /run/plain/irqs
for irq in $(find /proc/irq -mindepth 2 -maxdepth 2 -type d | cut -d / -f 4 | sort -n -u); do
  cpus=$(cat "/proc/irq/$irq/smp_affinity_list")
  if [[ $cpus =~ [2367-] ]]; then
    echo "$irq $cpus" >>/run/plain/irqs
    echo 0-1,4-5 >"/proc/irq/$irq/smp_affinity_list" 2>/dev/null
  fi
done
cat /sys/devices/virtual/workqueue/cpumask >/run/plain/workqueues
echo 33 >/sys/devices/virtual/workqueue/cpumask
