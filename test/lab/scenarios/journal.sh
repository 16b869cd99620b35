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

# held_up SYSCALL COUNT SECONDS PATH COMMAND [ARG ...]: runs it; whoever of it comes to that system call on PATH for the
# COUNTth time has to wait so long before the kernel sees the call. strace is a grandchild, so that the command's status is
# our own. (Without --seccomp-bpf everything takes three times as long; with it, strace cannot send signals.)
held_up() {
  local call=$1 count=$2 seconds=$3 path=$4
  shift 4
  strace -D -f --seccomp-bpf -qqq -o /dev/null -P "$path" \
    -e "trace=$call" -e "inject=$call:delay_enter=${seconds}s:when=$count" "$@"
}

# is_held_up PID: whether it waits for strace, and is not just passing by
is_held_up() {
  local line
  for _ in 1 2 3; do
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
    [[ ${line##*) } == t* ]] || return 1
    sleep 0.05
  done
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
