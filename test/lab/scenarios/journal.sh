# shellcheck shell=bash
# Sourced by scenarios that act while passqemu works: they watch a guest's journal without starting a process, so that the
# moment is hit.

# has_line GUEST TEXT: whether a line of the guest's journal holds the text
has_line() {
  local lines=()
  { mapfile -t lines <"/run/passqemu/$1.jsonl"; } 2>/dev/null
  [[ ${lines[*]} == *"$2"* ]]
}

# wait_for_line GUEST TEXT PID: until the journal has it; fails when the process ends before
wait_for_line() {
  until has_line "$1" "$2"; do
    kill -0 "$3" 2>/dev/null || return 1
  done
}

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
