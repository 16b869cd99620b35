#!/bin/bash
# lab: in=soak tier=mid suite=bookworm,trixie timeout=900
# passqemu run on real VFIO with OVMF: its shell sees the NIC and the drive and reads a block of it; its variables are kept.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
nic=0000:01:00.0
drive=0000:02:00.0
block=block-$RANDOM
out=/tmp/uefi.out

wait_for() { # wait_for TEXT SECONDS: until the console says it
  local patience=$((SECONDS + $2))
  until grep -aq "$1" $out; do
    [ "$SECONDS" -lt "$patience" ] && [ -e /run/passqemu/uefi.run ] || {
      tr -d '\033' <$out | tail -n 20
      cat /tmp/uefi.log
      return 1
    }
    sleep 1
  done
}

namespace=$(basename "$(ls -d $B/$drive/nvme/nvme*/nvme*n1)")
printf '%s\n' "$block" | dd of="/dev/$namespace" bs=512 seek=7 conv=notrunc,fsync status=none
profile uefi <<X
[machine]
memory = 192M
accel = tcg
vcpus = 1
usb = no
rng = no
[display]
type = none
[agent]
enable = no
[serial]
type = socket
[devices]
nic = $nic
drive = $drive
[device nic]
rom-bar = no
X
modprobe vfio-pci
state_before
begun=$SECONDS
passqemu run uefi >/tmp/uefi.log 2>&1 &
launcher=$!
until [ -e /run/passqemu/uefi.run ] || ! kill -0 $launcher 2>/dev/null; do sleep 0.5; done
until [ -S /run/passqemu/run/uefi/serial.sock ] || ! kill -0 $launcher 2>/dev/null; do sleep 0.5; done
mkfifo /tmp/keys
exec 3<>/tmp/keys
socat - UNIX-CONNECT:/run/passqemu/run/uefi/serial.sock <&3 >$out &
check 'OVMF comes to its shell' wait_for 'UEFI Interactive Shell' 400
echo "# after $((SECONDS - begun)) s"
check 'it sees the drive' wait_for 'NVMe(0x1' 100
# Any key instead of the wait for a script
printf '\r' >&3
wait_for 'Shell>' 60
printf 'pci\r' >&3
check 'it sees the NIC' wait_for 'Device 10D3' 60
printf 'dblk BLK0 7 1\r' >&3
check 'it reads the block' wait_for "$block" 60
echo "# after $((SECONDS - begun)) s"
check 'its variables are its own' test -s /var/lib/passqemu/uefi/vars.fd
passqemu stop uefi --force
wait $launcher
check 'everything is as before' same_state
finish
