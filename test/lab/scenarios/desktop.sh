#!/bin/bash
# lab: tier=full suite=bookworm,trixie iommu=intel gpu=none in=soak timeout=900 boot-gpu=virtio-vga
# Desktops as people have them, on the machine's only graphics card: a Wayland compositor (cage, whose window wayland-window.py paints) as
# the log-in screen, of somebody who has logged in there, both as a process of the session and (as GNOME and Plasma do it) as a unit of
# the user's own manager, and of somebody on another text console; a user's audio server with its socket, of who is logged in and of
# who is not; an X server, where the image has one. logind opens the card for all of them, and process 1 keeps it open for logind.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
# shellcheck source=test/lab/scenarios/display-machine.sh
. ./display-machine.sh
PROFILE=/etc/passqemu/all.ini
CARD=/dev/dri/card0
MIXER=/dev/snd/controlC0

useradd -m -G audio alice
alice=$(id -u alice)
systemctl start polkit.service
cp wayland-window.py /usr/local/lib/
# cage of bookworm wants to find one, and never starts it without a client of X
[ -e /usr/bin/Xwayland ] || install -m 755 /dev/stdin /usr/bin/Xwayland <<<'#!/bin/false'
install -m 755 /dev/stdin /usr/local/bin/wayland <<'X'
#!/bin/sh
export WLR_RENDERER=pixman WLR_LIBINPUT_NO_DEVICES=1 XDG_SESSION_TYPE=wayland
exec cage -- python3 -IS /usr/local/lib/wayland-window.py >"/tmp/cage.$(id -un)" 2>&1
X
install -m 755 /dev/stdin /usr/local/bin/xorg <<'X'
#!/bin/sh
exec /usr/lib/xorg/Xorg :0 vt7 -retro -nolisten tcp >/tmp/xorg 2>&1
X
printf '[Service]\nExecStart=/usr/local/bin/wayland\nRestart=on-failure\n' >/etc/systemd/user/wayland.service
install -m 755 /dev/stdin /usr/local/bin/wayland-unit <<'X'
#!/bin/sh
exec systemctl --user start --wait wayland.service
X
# What pipewire and its session manager are for passqemu: a unit of the user's manager, its socket, and a node that is open
home=/home/alice/.config/systemd/user
mkdir -p $home/default.target.wants $home/sockets.target.wants
printf '[Unit]\nRequires=pipewire.socket\n[Service]\nExecStart=sh -c "exec sleep infinity <%s"\n' $MIXER >$home/pipewire.service
printf '[Socket]\nListenStream=%%t/pipewire-0\n' >$home/pipewire.socket
ln -s ../pipewire.service $home/default.target.wants/
ln -s ../pipewire.socket $home/sockets.target.wants/
chown -R alice: /home/alice

log_in_screen() { # USER COMMAND [USER COMMAND]: the other one is logged in at once
  systemctl stop greetd.service
  rm -f /run/greetd*.run
  printf '[terminal]\nvt = 7\n[default_session]\nuser = "%s"\ncommand = "/usr/local/bin/%s"\n' "$1" "$2" >/etc/greetd/config.toml
  [ $# = 2 ] || printf '[initial_session]\nuser = "%s"\ncommand = "/usr/local/bin/%s"\n' "$3" "$4" >>/etc/greetd/config.toml
  systemctl start greetd.service
}
opens() { # USER NAME NODE: such a process has the node open
  local pid file
  for pid in $(pgrep -u "$1" -x "$2"); do
    for file in /proc/"$pid"/fd/*; do
      [ "$file" -ef "$3" ] && return 0
    done
  done
  return 1
}
opened() { # USER NAME NODE [FILE]: soon; else that file says why
  wait_for opens "$@" && return 0
  loginctl list-sessions --no-pager
  tail -n 15 "/tmp/${4-none}"
  return 1
}
stands_still() { # the screen, for two seconds
  for _ in $(seq 30); do
    screen early && sleep 2 && screen late && cmp -s /lab/out/early.ppm /lab/out/late.ppm && return 0
  done
  return 1
}
# The log-in screen as it is now is what has to come back
remembered() { stands_still && screen before && state-dump.sh "$since" >/tmp/state.before; }
steps() { grep -h ' ms)' /tmp/check.out | sed 's/^/# /'; }
handed_over() {
  check "hand over from $1" pp prepare -v
  steps
  check "the card is VFIO's" bound $GPU vfio-pci
  check "the screen shows something else" differs before
}
taken_back() { # USER NAME FILE: who has the card before the log-in screen
  check "take back" passqemu release all -v
  steps
  check "the log-in screen has the card" opened "$1" "$2" $CARD "$3"
  check "everything is as before" same_state
  check "the screen shows what it showed" same_screen before
}

log_in_screen _greetd wayland
check "a Wayland compositor is the log-in screen" opened _greetd cage $CARD cage._greetd
check "it stands still" remembered
check "logind has the card open for it" opens root systemd-logind $CARD
check "so has process 1" opens root systemd $CARD
handed_over "a Wayland log-in screen"
taken_back _greetd cage cage._greetd

# alice logs in at one that is a unit, as hers is; without lingering, her manager and her audio server are there as long as she is
log_in_screen _greetd wayland-unit
check "a compositor of its user's manager is the log-in screen" opened _greetd cage $CARD cage._greetd
check "it stands still" remembered
check "plan stops that manager" says "stop user@$(id -u _greetd).service" 0 pp plan
log_in_screen _greetd wayland-unit alice wayland-unit
check "a compositor of somebody who has logged in has the card" opened alice cage $CARD cage.alice
check "her audio server has the sound" opened alice sleep $MIXER
check "that is refused" says "alice (session" 1 pp plan
sed -i 's/^display = yes/&\nsessions = end/' $PROFILE
check "plan ends her session" says "of alice" 0 pp plan
printf '%s\n' "$said" | grep -v note: | sed 's/^/# /'
handed_over "her session"
check "nothing of hers is left" exits 1 pgrep -u alice -x 'cage|sleep'
gone() { ! systemctl -q is-active user@"$alice".service; }
check "her manager ends" wait_for gone
taken_back _greetd cage cage._greetd
# The log-in screen of its user's manager, too
handed_over "that log-in screen"
taken_back _greetd cage cage._greetd

# Two compositors: the log-in screen's, and that of alice on another text console, which is before it
log_in_screen _greetd wayland
check "the log-in screen has the card" opened _greetd cage $CARD cage._greetd
check "it stands still" remembered
somebody somebody tty5 wayland alice
# Else systemd-logind(8) would have a getty started there, which hangs up the terminal
wait_for grep -rqs '^TTY=tty5' /run/systemd/sessions
chvt 5
check "a compositor on another console has the card" opened alice cage $CARD cage.alice
check "the log-in screen's has it open too" opens _greetd cage $CARD
handed_over "both"
check "both are gone" exits 1 pgrep -x cage
check "her manager ends" wait_for gone
taken_back _greetd cage cage._greetd
sed -i '/^sessions/d' $PROFILE

# A user who is not before the screen keeps his manager
of_alice() { systemctl --user --machine=alice@.host "$@"; }
loginctl enable-linger alice
check "the audio server of a user who is not logged in has the sound" opened alice sleep $MIXER
check "plan stops it with its socket" says "stop pipewire.service, pipewire.socket of alice" 0 pp plan
check "the log-in screen stands still" remembered
handed_over "a log-in screen and a user's audio server"
check "its socket does not listen" exits 3 of_alice is-active pipewire.socket
taken_back _greetd cage cage._greetd
check "the audio server has the sound" opened alice sleep $MIXER
check "its socket listens" of_alice is-active pipewire.socket

if [ -x /usr/lib/xorg/Xorg ]; then
  log_in_screen root xorg
  check "an X server is the log-in screen's" opened root Xorg $CARD xorg
  check "it stands still" remembered
  check "logind has the card open for it" opens root systemd-logind $CARD
  handed_over "X"
  taken_back root Xorg xorg
fi
finish
