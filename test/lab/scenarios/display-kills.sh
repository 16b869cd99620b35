# shellcheck shell=bash disable=SC2317,SC2154
# Sourced behind display-failures.sh: the hand-over killed with -9 on the way back where $pattern wants it, and at the lines of the journal
# that $kills names (numbers, "every", or none), and at "moments" all over prepare and release ("moments=SEED").
# One hand-over, and then releases, each killed as soon as its first undos are written down (behind its third sync), until all is back
killed_back() {
  pp prepare --quiet || return 1
  # Not the timer, which would do it too
  systemctl stop passqemu-watchdog-all.timer
  for n in {1..80}; do
    [ -e $JOURNAL ] || break
    python3 kill-at-line.py $((3 + n % 4)) release sync passqemu release all --quiet >>/tmp/hits 2>&1
  done
  [ ! -e $JOURNAL ] && all_back 0
}
: >/tmp/hits
wanted "killed after each step of the way back" killed_back
sed 's/^/# /' /tmp/hits

# kill -9 at a line of the journal, as it is synced, or at a moment, then recover
killed() { # prepare|release NUMBER sync|ms|group
  local command=(passqemu "$1" all --quiet)
  if [ "$1" = prepare ]; then
    command+=(--domain /tmp/all.xml)
  else
    pp prepare --quiet || return 1
  fi
  hit=$(python3 kill-at-line.py "$2" "$1" "$3" "${command[@]}" 2>&1)
  echo "$hit"
  passqemu recover --quiet || return 1
  # What was ready and nobody has begun to give back is a guest's that will run
  if [ -e $JOURNAL ] && { ! grep -q '"t":"ready"' $JOURNAL || grep -q '"t":"pending"' $JOURNAL; }; then
    echo "recover has left something"
    return 1
  fi
  all_back 0
}
all_lines() {
  for line in "$@"; do
    begun=$SECONDS
    check "killed at line $line of the journal" killed prepare "$line" sync
    echo "# $hit: $((SECONDS - begun)) s"
    [[ $hit != *'ended before'* ]] || break
  done
}
# In each tenth of the time there and back one; every other one takes the programs along that run. The first third of the way there
# is spent before its first step
milliseconds() {
  local begun=${EPOCHREALTIME/./}
  "$@" >/dev/null || return 1
  took=$(((${EPOCHREALTIME/./} - begun) / 1000))
}
all_moments() { # SEED
  local there back from which how tenth
  milliseconds pp prepare --quiet && there=$took && milliseconds passqemu release all --quiet && back=$took || return 1
  RANDOM=$1
  echo "# $there ms there, $back ms back, seed $1"
  for which in prepare release; do
    from=$((there / 3))
    took=$((there - from))
    [ $which = prepare ] || from=0 took=$back
    for tenth in {0..9}; do
      how=ms
      [ $((tenth % 2)) = 0 ] || how=group
      moment=$((from + took * (tenth * 1000 + RANDOM % 1000) / 10000))
      begun=$SECONDS
      check "$which killed after $moment ms ($how)" killed $which $moment $how
      echo "# $hit: $((SECONDS - begun)) s"
    done
  done
}
for kill in $kills; do
  case $kill in
  every) all_lines {1..100} ;;
  moments) all_moments "$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')" ;;
  moments=*) all_moments "${kill#*=}" ;;
  *) all_lines "$kill" ;;
  esac
done
