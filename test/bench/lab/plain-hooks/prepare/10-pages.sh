#!/bin/bash
# Huge pages for the guest's memory, on the node that it is bound to
pool=/sys/devices/system/node/node0/hugepages/hugepages-2048kB
mkdir -p /run/plain
cat $pool/nr_hugepages >/run/plain/pages
pages=$(($(cat $pool/nr_hugepages) + 64))
echo $pages >$pool/nr_hugepages
tries=0
while [ "$(cat $pool/free_hugepages)" -lt 64 ] && [ $tries -lt 10 ]; do
  echo 1 >/proc/sys/vm/compact_memory
  sleep 1
  echo $pages >$pool/nr_hugepages
  tries=$((tries + 1))
done
