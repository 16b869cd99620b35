# shellcheck shell=bash
# Sourced by scenarios that look into a guest's journal, or stop what passqemu does at one system call.

# writer_of GUEST: the process that the journal names as the last one to carry out slow writes, in $writer
writer_of() {
  local lines=() line
  writer=''
  { mapfile -t lines <"/run/passqemu/$1.jsonl"; } 2>/dev/null
  for line in "${lines[@]}"; do
    [[ $line =~ ^'{"t":"writer","pid":'([0-9]+) ]] && writer=${BASH_REMATCH[1]}
  done
  [ -n "$writer" ]
}

# stopped_at_open PATH COMMAND [ARG ...]: runs it; whoever of it opens PATH first is stopped before it can write there.
# strace is a grandchild, so that the command's status is our own, and leaves when the last one traced ends.
stopped_at_open() {
  local path=$1
  shift
  strace -D -f --seccomp-bpf -qqq -o /dev/null -P "$path" -e trace=openat -e inject=openat:signal=SIGSTOP:when=1 "$@"
}

# wait_until PATIENCE COMMAND [ARG ...]: tries the command until it succeeds, so many seconds long
wait_until() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 0.2
  done
}

is_stopped() { [[ $(ps -o stat= -p "$1") == [Tt]* ]]; }
