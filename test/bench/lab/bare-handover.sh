#!/bin/bash
# bare-handover.sh prepare|release: the steps of handover.ini as a person would write them down for this one machine, with the
# same looking. The last line is what units and modules, and what the card's drivers took of it, in microseconds. It undoes nothing when a step fails.
GPU=0000:00:04.0
SOUND=0000:04:00.0
B=/sys/bus/pci/devices
SAVED=/run/bare-handover
MANAGER=greetd.service
declare -A given=([units]=0 [kernel]=0)

fail() {
  echo "bare-handover: $*" >&2
  exit 1
}
give() { # units|kernel COMMAND ...: what is not our own time
  local begun=$EPOCHREALTIME
  "${@:2}" || fail "$*"
  given[$1]=$((${given[$1]} + ${EPOCHREALTIME/./} - ${begun/./}))
}
holders() { fuser /dev/dri/card0 /dev/dri/renderD* /dev/fb0 /dev/snd/* 2>/dev/null; }
wait_until() {
  for _ in {1..100}; do
    "$@" && return
    sleep 0.1
  done
  fail "$*"
}
nobody() { [ -z "$(holders)" ]; }
bound() { [ "$(readlink -f "$B/$1/driver" || echo none)" = "/sys/bus/pci/drivers/$2" ]; }
bind() { # ADDRESS DRIVER LAST-OVERRIDE
  echo "$2" >"$B/$1/driver_override"
  [ ! -e "$B/$1/driver" ] || echo "$1" >"$B/$1/driver/unbind"
  echo "$1" >/sys/bus/pci/drivers_probe
  wait_until bound "$1" "$2"
  echo "$3" >"$B/$1/driver_override"
}
put() { echo "$1" >"$2"; }
find_console() { # into $console; it is gone while the card is
  for name in /sys/class/vtconsole/*/name; do
    ! grep -q 'frame buffer' "$name" || {
      console=${name%/name}/bind
      return
    }
  done
  return 1
}

case $1 in
prepare)
  [ -z "$(loginctl list-sessions --no-legend | grep -v greet | awk '$4 ~ /seat/ && $3 != "root"')" ] || fail 'somebody is logged in'
  for pid in $(holders); do
    grep -q "$MANAGER\|session-" "/proc/$pid/cgroup" || fail "$pid holds the card"
  done
  mkdir -m 700 $SAVED
  systemd-inhibit --what=sleep --mode=block --who=bare --why=guest sleep infinity </dev/null >/dev/null 2>&1 &
  echo $! >$SAVED/inhibitor
  give units systemd-run --quiet --collect --unit=bare-watchdog --on-active=130 -- "$0" release
  give units systemctl stop $MANAGER
  wait_until find_console
  give kernel put 0 "$console"
  [ -d /sys/module/vfio_pci ] || give units modprobe vfio-pci
  for address in $GPU $SOUND; do
    home=$(readlink "$B/$address/driver")
    echo "${home##*/} $(<"$B/$address/power/control")" >$SAVED/$address
    wait_until nobody
    give kernel bind $address vfio-pci vfio-pci
  done
  ;;
release)
  for address in $SOUND $GPU; do
    read -r home control <$SAVED/$address
    give kernel bind $address "$home" ''
    put "$control" "$B/$address/power/control"
  done
  wait_until find_console
  give kernel put 1 "$console"
  give units systemctl start $MANAGER
  give units systemctl stop bare-watchdog.timer
  kill "$(<$SAVED/inhibitor)"
  rm -r $SAVED
  ;;
esac
echo "${given[units]} ${given[kernel]}"
