#!/bin/sh
":" /* The lines down to the next star-slash are read by sh, the rest of the file by node.
unset NODE_OPTIONS NODE_PATH
node=@NODE@
[ -x "$node" ] || node=$(command -v node) || {
  echo "passqemu: Cannot run: Node.js is not installed (expected @NODE@); install Node.js 20 or later" >&2
  exit 1
}
exec "$node" "$0" "$@"
*/
