#!/bin/bash
for device in 0000:02:00.0 0000:01:00.0; do
  folder=/sys/bus/pci/devices/$device
  echo "$(cat /run/plain/$device)" >$folder/driver_override
  echo $device >$folder/driver/unbind
  echo $device >/sys/bus/pci/drivers_probe
  echo >$folder/driver_override
done
