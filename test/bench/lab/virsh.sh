# shellcheck shell=bash
# Sourced by measure.sh: a whole `virsh start` and `virsh destroy` of one guest, without a hook, with a hook in bash that does the same
# writes as ours, and with ours. The guest's pages are there beforehand where nobody makes them; that is not measured.
export LIBVIRT_DEFAULT_URI=qemu:///system
HOOKS=/etc/libvirt/hooks/qemu.d
NODE0=/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages

# The guest halts at its first instruction: 64 KiB whose last 16 bytes are cli, hlt, jmp back
prepare_virsh() {
  { head -c 65520 /dev/zero && printf '\372\364\353\375' && head -c 12 /dev/zero; } >/tmp/halt.rom
  mkdir -p $HOOKS
  # As people have it: one hook that plays the scripts of a folder for each guest and operation
  cat >/tmp/bash-hook <<'X'
#!/bin/bash
scripts=/run/bash-hooks/$1/$2/$3
[ -d "$scripts" ] || exit 0
find -L "$scripts" -maxdepth 1 -type f -executable | sort | while read -r script; do "$script" "$@" || exit; done
X
  for call in prepare/begin release/end; do
    mkdir -p "/run/bash-hooks/bench/$call"
    printf '#!/bin/bash\nPAGES=64 exec /bin/bash %s/bare.sh "$2"\n' "$PWD" >"/run/bash-hooks/bench/$call/bare.sh"
    chmod 755 "/run/bash-hooks/bench/$call/bare.sh"
  done
  # measure.sh has it
  # shellcheck disable=SC2154
  sed 's/^node=.*/node=\/usr\/bin\/node/' "$hook" >/tmp/our-hook
  # libvirt remembers from its start whether there was any hook
  use_hook our
  if [ -d /run/systemd/system ]; then
    systemctl start virtlogd libvirtd
  else
    mkdir -p /run/libvirt
    virtlogd -d && libvirtd -d
  fi
  for _ in {1..40}; do virsh define virsh.xml >/dev/null 2>&1 && break || sleep 0.5; done
  virsh dominfo bench >/dev/null || fail 'libvirt does not know the guest'
  cycle none >/dev/null
}
use_hook() { # none, bash or our
  rm -f $HOOKS/*
  [ "$1" = none ] || install -m 755 "/tmp/$1-hook" "$HOOKS/bench"
}
us() { begun=$EPOCHREALTIME && "$@" >/dev/null && ended=$EPOCHREALTIME && echo $((${ended/./} - ${begun/./})); }
# Between start and destroy the guest runs for a while, as guests do: whoever begins to watch it does that meanwhile, on a processor of its own
# where there is more than the one that the lab emulates
settled() {
  sleep 1
  for _ in {1..100}; do pgrep -f 'passqemu bench watch' >/dev/null || break; grep -qs '"t":"watcher"' /run/passqemu/bench.jsonl && break; sleep 0.1; done
  sleep 1
}
cycle() { # SIDE
  start=$(us virsh start bench) || fail "virsh: $1 does not start"
  taken
  settled
  destroy=$(us virsh destroy bench) || fail "virsh: $1 does not end"
  home
  echo "bench virsh $1 $((start + destroy))"
  echo "bench virsh-start $1 $start"
}

virsh_cycle() {
  [ -e /tmp/our-hook ] || prepare_virsh
  use_hook none
  echo 64 >$NODE0
  cycle none
  echo 0 >$NODE0
  use_hook bash
  cycle bash
  use_hook our
  cycle passqemu
}
