# shellcheck shell=bash
# Sourced by measure.sh: the machine's only display with a display manager on it, handed over and taken back, by hooks in bash that
# take the same steps, and by ours. What units and the kernel take is told beside the whole: bash tells it itself; ours tells of units by its
# story, and is given as much for the drivers as they took with bash: what its own steps with them take beyond that is its own time.
STORY=/var/lib/passqemu/handover.handover
prepare_handover() {
  connector=$(modetest -M bochs-drm -c 2>/dev/null | awk '$3 == "connected" { print $1; exit }')
  printf '[terminal]\nvt = 7\n[default_session]\ncommand = "modetest -M bochs-drm -s %s:1024x768"\nuser = "root"\n' \
    "$connector" >/etc/greetd/config.toml
  ln -sf /lib/systemd/system/greetd.service /etc/systemd/system/display-manager.service
  # The timer is started where this unit is there
  printf '[Service]\nType=oneshot\nExecStart=/usr/local/bin/passqemu recover\n' >/etc/systemd/system/passqemu-recover.service
  systemctl daemon-reload
  systemctl start greetd.service
  install -m 644 handover.ini /etc/passqemu/handover.ini
  printf '<domain type="qemu"><name>handover</name></domain>' >/tmp/handover.xml
}
shown() {
  for _ in {1..600}; do
    fuser -s /dev/dri/card0 && return
    sleep 0.1
  done
  fail 'the display manager has no card'
}
bare_handover() { ./bare-handover.sh "$1" >/tmp/given; }
# measure.sh has it
# shellcheck disable=SC2154
our_handover() { "$hook" handover "$@" - </tmp/handover.xml; }
# What of the last operation units and modules took, and of bash's the drivers, in microseconds
ours_given() { # OPERATION KERNEL
  sed -n "s/.* $1: \(done\|undone\): .* (\([0-9]*\) ms)\$/\2 &/p" $STORY |
    awk -v kernel="$2" '/greetd|module|in 130 s|timer/ { sum += $1 } END { print sum * 1000 + kernel }'
}

handover() {
  [ -e /tmp/handover.xml ] || prepare_handover
  shown
  local units
  local -A kernel
  took handover node node -e 0
  for operation in prepare release; do
    took handover bare-$operation bare_handover $operation
    read -r units kernel[$operation] < <(tail -n 1 /tmp/given)
    echo "bench handover bare-$operation-given $((units + ${kernel[$operation]}))"
  done
  shown
  took handover prepare our_handover prepare begin
  bound 0000:00:04.0 vfio-pci
  echo "bench handover prepare-given $(ours_given prepare "${kernel[prepare]}")"
  took handover release our_handover release end
  bound 0000:00:04.0 bochs-drm
  echo "bench handover release-given $(ours_given release "${kernel[release]}")"
}
