#!/bin/bash
# The guest's functions, from their drivers to vfio-pci
modprobe vfio-pci
for device in 0000:01:00.0 0000:02:00.0; do
  folder=/sys/bus/pci/devices/$device
  basename "$(readlink $folder/driver)" >/run/plain/$device
  echo vfio-pci >$folder/driver_override
  echo $device >$folder/driver/unbind
  echo $device >/sys/bus/pci/drivers_probe
done
