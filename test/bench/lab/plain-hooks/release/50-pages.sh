#!/bin/bash
cat /run/plain/pages >/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages
