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
  cat >/tmp/bash-hook <<X
#!/bin/bash
[ "\$1" = bench ] || exit 0
case \$2 in
prepare | release) exec /bin/bash $PWD/bare.sh "\$2" ;;
esac
X
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
  cycle >/dev/null || fail 'the guest does not start'
}
use_hook() { # none, bash or our
  rm -f $HOOKS/*
  [ "$1" = none ] || install -m 755 "/tmp/$1-hook" "$HOOKS/bench"
}
cycle() { virsh start bench >/dev/null && taken && virsh destroy bench >/dev/null && home; }

virsh_cycle() {
  [ -e /tmp/our-hook ] || prepare_virsh
  use_hook none
  echo 512 >$NODE0
  took virsh none cycle
  echo 0 >$NODE0
  use_hook bash
  took virsh bash cycle
  use_hook our
  took virsh passqemu cycle
}
