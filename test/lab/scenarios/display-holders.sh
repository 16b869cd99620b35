# shellcheck shell=bash disable=SC2317,SC2154
# Sourced behind display-failures.sh, with its pattern: holders that come again, and a host that changes between the plan and its steps.

# beside NAME TEXT: a unit of that name and text runs for the time of a check; without text it ends
beside() {
  if [ -n "${2:-}" ]; then
    printf '%b' "$2" >"/run/systemd/system/$1"
    systemctl daemon-reload
    systemctl start "$1"
  else
    systemctl stop "$1"
    systemctl reset-failed "$1"
    rm "/run/systemd/system/$1"
    systemctl daemon-reload
  fi
}
# triggered NAME TEXT: that unit starts the sound's again as soon as it has ended
triggered() {
  beside "$1" "$2" && says "would start it again: $1" 0 pp prepare && sleep 1 &&
    exits 3 systemctl is-active "$1" music.service && passqemu release all && systemctl is-active "$1"
  result=$?
  beside "$1"
  all_back $result
}
wanted "a path that starts the sound's unit again" triggered music.path '[Path]\nPathExists=/lab\n'
wanted "a timer that starts the sound's unit again" triggered music.timer '[Timer]\nOnActiveSec=0\nOnUnitInactiveSec=200ms\nAccuracySec=10ms\n'
upheld() {
  beside fan.service '[Unit]\nUpholds=music.service\n[Service]\nExecStart=sleep infinity\n'
  says "music.service" 1 pp prepare
  result=$?
  printf '%s\n' "$said"
  beside fan.service
  all_back $result
}
wanted "a unit that another one upholds" upheld
# The profile names the process only, and systemd starts it again
comes_again() {
  sed -i 's/^units = .*/processes = sleep/' $PROFILE
  spoil music.service '[Service]\nRestartSec=0\n'
  says "let go of $SOUND" 1 pp prepare
  result=$?
  printf '%s\n' "$said"
  mend music.service
  sed -i 's/^processes = .*/units = music.service/' $PROFILE
  all_back $result
}
wanted "a process that its unit starts again" comes_again
# What looks at the card now and then is not named in the profile: it is refused while it has it, or waited for
looked_at() {
  beside look.service '[Service]\nExecStart=sh -c "[ ! -e /dev/dri/card0 ] || exec 9<>/dev/dri/card0; sleep 0.3"\n'
  beside look.timer '[Timer]\nOnActiveSec=0\nOnUnitInactiveSec=300ms\nAccuracySec=10ms\n'
  result=1
  for _ in $(seq 10); do
    pp prepare && result=0 && break
  done
  # It goes on looking while the guest has it
  sleep 1
  bound $GPU vfio-pci && systemctl is-active look.timer && passqemu release all && there || result=1
  beside look.timer
  beside look.service
  all_back $result
}
wanted "a timer that has the card opened now and then" looked_at

# meanwhile STATUS TEXT COMMANDS UNDO: these commands run between the plan and its first step, the others at the very end
meanwhile() {
  printf '#!/bin/sh\n%s\n' "$3" >/usr/local/bin/meanwhile
  printf '#!/bin/sh\n%s\n' "$4" >/usr/local/bin/afterwards
  chmod +x /usr/local/bin/meanwhile /usr/local/bin/afterwards
  cp $PROFILE /tmp/profile
  sed -i '/^\[commands\]/,$d' $PROFILE
  printf '[commands]\nprepare-first = /usr/local/bin/meanwhile\nrelease-last = /usr/local/bin/afterwards\n' >>$PROFILE
  says "$2" "$1" pp prepare
  result=$?
  printf '%s\n' "$said"
  if [ "$1" = 0 ]; then
    bound $GPU vfio-pci && passqemu release all || result=1
  fi
  cp /tmp/profile $PROFILE
  all_back $result
}
wanted "the console is unbound in between" meanwhile 0 "" "echo 0 >$console" "echo 1 >$console"
wanted "the card's driver is unbound in between, and its console vanishes" meanwhile 0 "" \
  "systemctl stop greetd.service; echo $GPU >/sys/bus/pci/drivers/$driver/unbind" \
  "echo $GPU >/sys/bus/pci/drivers/$driver/bind; systemctl start greetd.service"
wanted "somebody opens the card in between, and lets go" meanwhile 0 "Waiting 20 s at most for" \
  "systemd-run --quiet --collect --unit=late sh -c 'exec 9<>/dev/dri/card0; sleep 12'; sleep 1" true
wanted "somebody opens the card in between, and keeps it" meanwhile 1 "is still held by" \
  "systemd-run --quiet --collect --unit=late sh -c 'exec 9<>/dev/dri/card0; sleep 100'; sleep 1" "systemctl stop late.service"
# The card comes back without a frame buffer, and so without that console
no_console() {
  local emulation=/sys/module/drm_kms_helper/parameters/fbdev_emulation
  pp prepare --quiet && echo N >$emulation && says "no (M) frame buffer device for the text consoles" 0 passqemu release all
  result=$?
  printf '%s\n' "$said"
  echo Y >$emulation
  systemctl stop greetd.service
  echo $GPU >/sys/bus/pci/drivers/"$driver"/unbind
  echo $GPU >/sys/bus/pci/drivers/"$driver"/bind
  systemctl start greetd.service
  all_back $result
}
wanted "the console does not come back with the card" no_console
