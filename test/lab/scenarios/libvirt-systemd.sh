#!/bin/bash
# lab: tier=full suite=trixie in=full timeout=600
# lab: tier=full suite=bookworm in=soak timeout=900
# lab: tier=full suite=trixie in=soak timeout=400 -- host|split
# What needs systemd: its units around the daemon, slices, the journal, and in the end the shutdown of the host with guests running.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
# shellcheck source=test/lab/scenarios/libvirt.sh
. ./libvirt.sh
ready_for_guests
CPUS="<cputune><vcpupin vcpu='0' cpuset='3'/><emulatorpin cpuset='0-1'/></cputune>"
allowed() { systemctl show -p AllowedCPUs --value "$1"; }

is_restarted_by_systemd() {
  guest on '' "$CPUS"
  check "virsh start" virsh start on
  check "the host's slices are off the guest's CPU" is "$(allowed system.slice) $(allowed user.slice)" "0-2 4-7 0-2 4-7"
  check "the guest's vCPU is on it" sh -c "virsh vcpupin on | grep -qE '^ *0 +3\$'"
  check "systemctl restart libvirtd" systemctl restart libvirtd
  check "the daemon finds its guest again" domain_is on running
  check "systemctl reload libvirtd" systemctl reload libvirtd
  systemctl kill -s KILL libvirtd
  check "the daemon is killed, and comes back" wait_for "the daemon answers" domain_is on running
  check "the guest has its NIC" bound $NIC vfio-pci
  check "the slices are still narrow" is "$(allowed system.slice)" "0-2 4-7"
  check "virsh destroy" wait_for "it is destroyed" sh -c 'virsh destroy on; virsh domstate on | grep -q shut'
  check "the NIC is home" nic_is_home
  check "the journal tells what was done" says "bind $NIC to vfio-pci" 0 journalctl -q -t passqemu --no-pager
  forget on
}
is_prepared_by_hand() {
  guest hand
  check "a person prepares a guest" passqemu prepare hand
  check "libvirt starts it on that" virsh start hand
  check "and gives it back" virsh destroy hand
  check "nothing is held" nothing_is_held
  forget hand
}
loses_its_daemon() {
  guest lost
  virsh start lost >/dev/null
  systemctl stop libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd
  pid=$(cat /run/libvirt/qemu/lost.pid)
  check "without the daemon its QEMU is killed" kill -9 "$pid"
  wait_for "it is gone" test ! -e "/proc/$pid"
  check "the recover unit gives back what it held" systemctl restart passqemu-recover
  check "nothing is held" nothing_is_held
  check "the NIC is home" nic_is_home
  systemctl start libvirtd
  forget lost
}
# A daemon that is killed while it waits for our hook forgets that start; the recover unit is restarted with the daemon
is_forgotten() { # DAEMON
  guest half '[commands]\nprepare-last = /bin/sleep 4\n'
  virsh start half >/tmp/half.out 2>&1 &
  wait_for "the command runs" grep -qs '"kind":"command"' /run/passqemu/half.jsonl
  # The hook goes on: a daemon's end is not its children's (KillMode=process)
  systemctl kill -s KILL --kill-who=main "$1"
  wait $!
  check "virsh says that the daemon went away" test $? = 1
  check "the daemon comes back" wait_for "the daemon answers" domain_is half 'shut off'
  check "all that it had prepared is given back by itself" wait_for "it is given back" nothing_is_held
  check "the NIC is home" nic_is_home
  forget half
}
# What the host does at boot: the daemon's first start, with guests of its own to start, and the recover unit behind it while the hook still works
starts_at_boot() {
  guest auto '[commands]\nprepare-last = /bin/sleep 4\n' "$CPUS"
  virsh autostart auto >/dev/null
  systemctl stop passqemu-recover libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd
  rm -f /run/libvirt/qemu/autostarted
  check "the daemon starts" systemctl start libvirtd
  check "and the recover unit with it" wait_for "the unit is active" systemctl -q is-active passqemu-recover
  check "which has ended well" is "$(systemctl show -p Result -p ExecMainStatus --value passqemu-recover | tr '\n' ' ')" 'success 0 '
  check "the guest that the daemon starts by itself runs" wait_for "it runs" domain_is auto running
  check "it has its NIC" bound $NIC vfio-pci
  check "and its CPU" is "$(allowed system.slice)" "0-2 4-7"
  check "virsh destroy" virsh destroy auto
  check "the NIC is home" nic_is_home
  virsh autostart --disable auto >/dev/null
  forget auto
}
# Debian has no virtqemud: libvirt's one daemon under that name, with a unit as the split daemon's
is_a_split_daemon() {
  passqemu hooks uninstall >/dev/null
  systemctl stop libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd
  cp /usr/sbin/libvirtd /usr/sbin/virtqemud
  cat >/etc/systemd/system/virtqemud.service <<X
[Service]
Type=notify
ExecStart=/usr/sbin/virtqemud
ExecReload=/bin/kill -HUP \$MAINPID
KillMode=process
Restart=on-failure
X
  systemctl daemon-reload
  check "virtqemud starts" systemctl start virtqemud
  check "hooks install finds it, and has it look" says 'virtqemud' 0 passqemu hooks install
  check "hooks status too" says 'virtqemud' 0 passqemu hooks status
  guest split
  check "virsh start" virsh start split
  check "it has its NIC" bound $NIC vfio-pci
  systemctl kill -s KILL --kill-who=main virtqemud
  check "virtqemud is killed, and comes back" wait_for "the daemon answers" domain_is split running
  check "the guest has its NIC" bound $NIC vfio-pci
  check "virsh destroy" wait_for "it is destroyed" sh -c 'virsh destroy split; virsh domstate split | grep -q shut'
  check "the NIC is home" wait_for "the NIC is home" nic_is_home
  forget split
  is_forgotten virtqemud
  passqemu hooks uninstall >/dev/null
  systemctl stop virtqemud
  rm /usr/sbin/virtqemud /etc/systemd/system/virtqemud.service
  systemctl daemon-reload
  systemctl start libvirtd
  check "libvirtd again" says 'libvirtd' 0 passqemu hooks install
}
# A guest that heeds the power button. In 16 bits: PM1_EN (0x602) = power button; an R on the serial port; sti; until bit 8 of PM1_STS (0x600): hlt; PM1_CNT
# (0x604) = S5
heeds_the_button() {
  boot_sector button '\0272\0002\0006\0270\0000\0001\0357\0272\0370\0003\0260\0122\0356\0373\0364\0272\0000\0006\0355\0366\0304\0001\0164\0366\0272\0004\0006\0270\0000\0040\0357\0364\0353\0375'
  boots=yes guest button '' '<features><acpi/></features>' "$(disk button)<serial type='file'><source path='/tmp/button.log'/></serial>"
  check "a guest that heeds the power button starts" virsh start button
  wait_for "it heeds it" grep -q R /tmp/button.log
  check "virsh shutdown" virsh shutdown button
  check "it ends by itself" wait_for "it is off" domain_is button 'shut off'
  wait_for "all is given back" nothing_is_held
  check "the NIC is home" nic_is_home
}
# Behind the shutdown of systemd nobody of us is left: a program of its last stage compares, and ends the lab's run
shuts_the_host_down() {
  rm -f /etc/systemd/system/libvirt-guests.service
  printf 'ON_SHUTDOWN=shutdown\nSHUTDOWN_TIMEOUT=60\n' >/etc/default/libvirt-guests
  systemctl daemon-reload
  check "libvirt-guests runs" systemctl start libvirt-guests
  rm /tmp/button.log
  check "the guest that heeds the button runs" virsh start button
  wait_for "it heeds it" grep -q R /tmp/button.log
  check "it has its NIC" bound $NIC vfio-pci
  mkdir -p /opt/lab /usr/lib/systemd/system-shutdown
  cp /lab/bin/state-dump.sh ./state-diff.py /tmp/state.before /opt/lab
  cat >/usr/lib/systemd/system-shutdown/lab <<X
#!/bin/bash
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
exec >/dev/ttyS1 2>&1
# Without a systemd that answers there are no units to compare
facts() { grep -E '^(pci|node|irq|workqueue|cpufreq|state|inhibitor|/)' "\$1"; }
/opt/lab/state-dump.sh $since >/run/state.after
facts /opt/lab/state.before >/run/one
facts /run/state.after >/run/two
failed=$failed
if [ -s /run/two ] && python3 /opt/lab/state-diff.py /run/one /run/two; then
  echo 'ok $((count + 2)) - the host shuts down with a guest running: it was as before'
else
  failed=\$((failed + 1))
  echo 'not ok $((count + 2)) - the host shuts down with a guest running: it was as before'
fi
status=\$((failed > 0))
echo "LAB-END $(sed 's/.*lab.word=\([^ ]*\).*/\1/' /proc/cmdline) \$(</proc/uptime) \$status"
sleep 0.5
printf "\\\\x0\$status" | dd of=/dev/port bs=1 seek=\$((0x501)) count=1 conv=notrunc status=none
X
  chmod 755 /usr/lib/systemd/system-shutdown/lab
  check "the host is told to shut down" systemctl --no-block poweroff
  echo "# $scenarios scenarios and the shutdown, $SECONDS s; $failed failed before it"
  # What the lab would say at the end of its script is said by that program
  kill -9 $PPID
  sleep 600
}

scenario "the daemon is restarted, reloaded and killed under systemd" is_restarted_by_systemd
scenario "a guest prepared by hand, started by libvirt" is_prepared_by_hand
scenario "a guest that loses its daemon" loses_its_daemon
scenario "a start that its daemon forgets" is_forgotten libvirtd
# In the soak only, for time
if [ -n "$only" ] || [ "$LAB_SUITE" = bookworm ]; then
  scenario "a guest that starts with the host" starts_at_boot
  scenario "a split daemon" is_a_split_daemon
fi
scenario "a guest that heeds the power button" heeds_the_button
[ -z "$only" ] || finish
shuts_the_host_down
