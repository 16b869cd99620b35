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

# stopped_at SYSCALL COUNT PATH COMMAND [ARG ...]: runs it; whoever of it comes to that system call on PATH for the COUNTth
# time is stopped before the kernel sees the call. strace is a grandchild, so that the command's status is our own.
# (Its signal injection does nothing with --seccomp-bpf, and without that everything is three times as slow.)
stopped_at() {
  local call=$1 count=$2 path=$3
  shift 3
  exec strace -D -f --seccomp-bpf -qqq -o /dev/null -P "$path" -e "trace=$call" -e "inject=$call:delay_enter=1000s:when=$count" "$@"
}

# is_stopped PID: whether it is held by strace, and not just passing by
is_stopped() {
  local line
  for _ in 1 2 3; do
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
    [[ ${line##*) } == t* ]] || return 1
    sleep 0.02
  done
}

# let_go PID: whoever traces the process leaves it to itself
let_go() {
  local line
  while read -r line; do
    [[ $line == TracerPid:* ]] && kill "${line#TracerPid:}"
  done <"/proc/$1/status"
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
