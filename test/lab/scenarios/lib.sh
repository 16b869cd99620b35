# shellcheck shell=bash
# Sourced by scenarios: checks that print "ok" and "not ok" lines, the state before, and comparing with it.
count=0
failed=0
B=/sys/bus/pci/devices

# check NAME COMMAND [ARG ...]: ok when the command succeeds
check() {
  name=$1
  shift
  count=$((count + 1))
  if "$@" >/tmp/check.out 2>&1; then
    echo "ok $count - $name"
  else
    failed=$((failed + 1))
    echo "not ok $count - $name"
    sed 's/^/#   /' /tmp/check.out | tail -n 25
  fi
}

# exits STATUS COMMAND [ARG ...]: succeeds when the command ends with that status; shows what it said otherwise
exits() {
  want=$1
  shift
  said=$("$@" 2>&1)
  got=$?
  [ "$got" = "$want" ] || {
    echo "exit status $got instead of $want: $*"
    echo "$said"
    return 1
  }
}

# says TEXT STATUS COMMAND [ARG ...]: the same, and the text must stand in what it printed
says() {
  text=$1
  want=$2
  shift 2
  said=$("$@" 2>&1)
  got=$?
  case $said in
  *"$text"*) [ "$got" = "$want" ] && return 0 ;;
  esac
  echo "exit status $got (wanted $want), \"$text\" wanted in:"
  echo "$said"
  return 1
}

driver() {
  link=$(readlink "$B/$1/driver") || {
    echo none
    return
  }
  echo "${link##*/}"
}
bound() { [ "$(driver "$1")" = "$2" ] || {
  echo "$1 is on $(driver "$1")"
  return 1
}; }
is() { [ "$1" = "$2" ] || {
  echo "\"$1\" instead of \"$2\""
  return 1
}; }

# json_has EXPRESSION COMMAND [ARG ...]: what the command prints is JSON, and the expression over it (as d) is true
json_has() {
  expression=$1
  shift
  "$@" >/tmp/check.json || return 1
  node -e 'const d = JSON.parse(require("fs").readFileSync("/tmp/check.json", "utf8")); if (!eval(process.argv[1])) { console.log(JSON.stringify(d).slice(0, 2000)); process.exit(1); }' "$expression"
}

profile() { # profile GUEST: the text is on standard input
  mkdir -p /etc/passqemu
  chmod 755 /etc/passqemu
  cat >"/etc/passqemu/$1.ini"
  chmod 644 "/etc/passqemu/$1.ini"
}

# put_drive_guest DISK TEXT: a guest of one boot sector, which prints the text that it reads from block 7 of its disk
put_drive_guest() {
  python3 -c 'import re, sys; sys.stdout.buffer.write(bytes.fromhex(re.sub("#.*", "", sys.stdin.read())))' <drive-guest.hex >/tmp/sector
  truncate -s 510 /tmp/sector
  printf '\x55\xaa' >>/tmp/sector
  dd if=/tmp/sector of="$1" conv=notrunc,fsync status=none
  printf '%s\n' "$2" | dd of="$1" bs=512 seek=7 conv=notrunc,fsync status=none
}

# Tasks that are there now are watched: what is born later is not
state_before() {
  since=$(sed 's/ .*//; s/\.//' /proc/uptime)
  state-dump.sh "$since" >/tmp/state.before
}
same_state() {
  state-dump.sh "$since" >/tmp/state.after
  python3 -IS /lab/files/state-diff.py /tmp/state.before /tmp/state.after
}

# screen NAME: a picture of the machine's screen, taken from outside, at /lab/out/NAME.ppm
screen() {
  rm -f "/lab/out/$1.ppm"
  : >"/lab/out/$1.screen"
  for _ in $(seq 300); do
    [ -e "/lab/out/$1.screen" ] || break
    sleep 0.1
  done
  [ -s "/lab/out/$1.ppm" ]
}
# differs NAME: the screen shows something else than it did then
differs() { screen now && ! cmp -s "/lab/out/$1.ppm" /lab/out/now.ppm; }
# same_screen NAME: the screen shows what it showed then, at the latest in half a minute
same_screen() {
  for _ in $(seq 30); do
    screen now && cmp -s "/lab/out/$1.ppm" /lab/out/now.ppm && return 0
    sleep 1
  done
  head -c 15 "/lab/out/$1.ppm" /lab/out/now.ppm | tr '\n' ' '
  return 1
}

finish() {
  echo "$((count - failed)) passed, $failed failed"
  [ "$failed" = 0 ]
  exit
}
