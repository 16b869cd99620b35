#!/bin/bash
for unit in system.slice user.slice init.scope; do
  systemctl set-property --runtime -- $unit AllowedCPUs=0-7
done
