#!/bin/bash
cat /run/plain/workqueues >/sys/devices/virtual/workqueue/cpumask
cat /run/plain/mask >/proc/irq/default_smp_affinity
while read -r irq cpus; do
  [ "$(cat "/proc/irq/$irq/smp_affinity_list")" = "$cpus" ] || echo "$cpus" >"/proc/irq/$irq/smp_affinity_list" 2>/dev/null
done </run/plain/irqs
