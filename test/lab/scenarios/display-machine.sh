# shellcheck shell=bash
# Sourced by scenarios behind lib.sh: the machine's only graphics card with text consoles, a display manager whose session paints the
# screen, and a service that has the sound card open; the guest "all" gets both. Where the machine has another graphics card, the sound
# card stays with it.
GPU=0000:00:04.0
SOUND=0000:04:00.0
[ ! -e $B/0000:04:00.1 ] || SOUND=

since=$(sed 's/ .*//; s/\.//' /proc/uptime)
[ -e /dev/dri/card0 ] || modprobe virtio_gpu
driver=$(driver $GPU)
drm=$driver
[ "$drm" != virtio-pci ] || drm=virtio_gpu
connector=$(modetest -M "$drm" -c 2>/dev/null | awk '$3 == "connected" { print $1; exit }')
# Both leave their numbers, so that looking who has what costs next to nothing
printf '#!/bin/sh\necho $$ >/run/paint.pid\nexec modetest -M %s -s %s:1024x768\n' "$drm" "$connector" >/usr/local/bin/paint
# Without its node it must not make a file of that name, which nobody would notice
printf '#!/bin/sh\nuntil [ -c /dev/snd/pcmC0D0p ]; do sleep 0.2; done\necho $$ >/run/music.pid\nexec sleep infinity <>/dev/snd/pcmC0D0p\n' >/usr/local/bin/music
chmod +x /usr/local/bin/paint /usr/local/bin/music
cat >/etc/greetd/config.toml <<X
[terminal]
vt = 7
[default_session]
command = "/usr/local/bin/paint"
user = "root"
X
ln -sf /lib/systemd/system/greetd.service /etc/systemd/system/display-manager.service
cat >/etc/systemd/system/music.service <<X
[Unit]
StartLimitIntervalSec=0
[Service]
ExecStart=/usr/local/bin/music
Restart=always
RestartSec=1
X
systemctl daemon-reload
# On a starved machine the sound card may not have found its codec
for _ in 1 2 3; do
  [ -n "$SOUND" ] && [ ! -e /dev/snd/pcmC0D0p ] || break
  sleep 2
  [ ! -e /dev/snd/pcmC0D0p ] || break
  [ ! -e $B/$SOUND/driver ] || echo $SOUND >/sys/bus/pci/drivers/snd_hda_intel/unbind
  echo $SOUND >/sys/bus/pci/drivers/snd_hda_intel/bind
done
wait_for() { # COMMAND ...: at most 150 s
  local until=$((SECONDS + 150))
  while ! "$@"; do
    [ $SECONDS -lt $until ] || return 1
    sleep 0.2
  done
}
holds() { # NAME NODE: the process that has left its number in /run/NAME.pid has the node open
  local pid file
  { read -r pid </run/"$1".pid; } 2>/dev/null || return 1
  for file in /proc/"$pid"/fd/*; do
    [ "$file" -ef "$2" ] && return 0
  done
  return 1
}
there() { # the session has the card, and the service the sound
  wait_for holds paint /dev/dri/card0 && { [ -z "$SOUND" ] || wait_for holds music /dev/snd/pcmC0D0p; } && return 0
  systemctl status greetd.service music.service --no-pager
  ls /dev/dri /dev/snd
  loginctl list-sessions
  return 1
}
# The session's user has a manager of his own that stays: starting it anew costs seconds
loginctl enable-linger root
# A text console that does not blink
printf '\033[?25lThe text console of %s\n' "$LAB_SUITE" >/dev/tty1
systemctl start greetd.service
[ -z "$SOUND" ] || systemctl start music.service
check "the display manager has the card, a service the sound" there

profile all <<X
[devices]
gpu = $GPU
${SOUND:+sound = $SOUND}
[handover]
display = yes
units = music.service
timeout = 2m
X
printf '<domain type="qemu"><name>all</name></domain>' >/tmp/all.xml
pp() { # OPERATION [ARG ...]: of the guest "all"
  operation=$1
  shift
  passqemu "$operation" all --domain /tmp/all.xml "$@"
}
check "the unit that recovers is installed" passqemu hooks install --quiet
state-dump.sh "$since" >/tmp/state.before
# somebody NAME TTY COMMAND [USER]: logged in before a text console
somebody() {
  systemd-run --quiet --unit="$1" -p PAMName=login -p User="${4:-root}" -p TTYPath=/dev/"$2" -p StandardInput=tty -p StandardOutput=tty sh -c "$3"
}
