#!/bin/sh
":" /* passqemu, hook for libvirt. The lines down to the next star-slash are read by sh, the rest of the file by node.
umask 022
unset NODE_OPTIONS NODE_PATH
node=@NODE@
guest=$1
say() { printf 'passqemu: %s\n' "$1" >&2; }
profile_mentions() {
  case $guest in *[/]*) return 1 ;; esac
  [ -r "/etc/passqemu/$guest.ini" ] || return 1
  while read -r line || [ -n "$line" ]; do
    case $line in *"$1"*) return 0 ;; esac
  done <"/etc/passqemu/$guest.ini"
  return 1
}
# A guest that is not ours, and an operation that needs nothing of us, must cost nothing: builtins only, node never starts
case $2 in
prepare)
  case $guest in
  '' | . | .. | *[/]*)
    say "No guest can have this name"
    exit 0
    ;;
  esac
  [ -e "/etc/passqemu/$guest.ini" ] || [ -h "/etc/passqemu/$guest.ini" ] || exit 0
  ;;
started | stopped | release | reconnect)
  for journal in /run/passqemu/*.jsonl; do break; done
  [ -e "$journal" ] || exit 0
  # All that it may bring is a command of the user's
  [ "$2" != stopped ] || profile_mentions stopped || exit 0
  ;;
start | attach | migrate | restore) exit 0 ;;
'')
  say "Cannot run: the operation is missing, it must be the second argument (libvirt runs this, not you: passqemu --help)"
  exit 0
  ;;
*)
  say "Unknown operation, nothing was done"
  exit 0
  ;;
esac
if [ ! -x "$node" ]; then
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  export PATH
  node=$(command -v node) || {
    say "Cannot run: Node.js is not installed for all users (expected @NODE@); install Node.js 20 or later"
    [ "$2" = prepare ] && exit 1
    exit 0
  }
fi
# Nothing of this need be waited for: it finds out itself what there is to watch. Little memory, beside a guest that wants it
case $2 in
started | reconnect)
  exec 3<&0
  setsid "$node" --max-semi-space-size=1 --max-old-space-size=48 --v8-pool-size=0 "$0" "$guest" watch "$2" <&3 3<&- >/dev/null 2>&1 &
  [ "$2" = started ] && profile_mentions started || exit 0
  ;;
esac
# Threads that help V8 cost more to start than they save in so short a life.
# Whatever node itself says when it is too old or dies is many lines, and this shell adds "Killed": libvirt shows its user one of ours
{
  said=$("$node" --v8-pool-size=0 "$0" "$@" 2>&1)
  status=$?
} 2>/dev/null
newline='
'
case $newline$said in
*"${newline}passqemu: "*)
  said=${said##*"${newline}passqemu: "}
  said=${said#"passqemu: "}
  say "${said%%"$newline"*}"
  ;;
*)
  case $status in
  0) ;;
  # AppArmor or SELinux forbids it to the daemon, not to whoever reads this
  126) say "Cannot run: libvirt may not start $node; what helps is said by passqemu hooks status" ;;
  *) say "Cannot run: $node ended with status $status and no answer, it must be Node.js 20 or later and sound ($node --version)" ;;
  esac
  ;;
esac
[ "$2" = prepare ] && [ $status != 0 ] && exit 1
exit 0
*/
