import { addProcess, DAEMON } from '../../fake/healthy-machine.ts';
import { both, type Case, check, deny, drop, edit, locked, noProcesses, put, type Scene } from './case.ts';

const HOOK = '/etc/libvirt/hooks/qemu.d/passqemu';
const CONF = '/etc/libvirt/qemu.conf';
const hidden = locked('/etc/libvirt');
const HIDDEN = '/etc/libvirt cannot be searched (EACCES)';
const noConf = deny(CONF);
const NO_CONF = '/etc/libvirt/qemu.conf cannot be read (EACCES)';
const noDaemon = drop(`/proc/${DAEMON}`, '/usr/bin/virtqemud');
const silent = ({ host }: Scene): void =>
  void host.onRun('/usr/bin/qemu-system-x86_64', () => ({ stdout: 'QEMU?' }));

/** libvirt, QEMU and hooks. */
export const LIBVIRT_CASES: readonly Case[] = [
  check(
    'libvirt.daemon',
    'warn',
    noDaemon,
    'apt install libvirt-daemon-system',
    noProcesses,
    '/proc lists no processes',
  ),
  check(
    'libvirt.version',
    'warn',
    ({ host }) => void host.putLink('/usr/lib/x86_64-linux-gnu/libvirt.so.0', 'libvirt.so.0.6000.0'),
    'Update the distribution',
    drop('/usr/lib/x86_64-linux-gnu/libvirt.so.0'),
    'libvirt’s library is not where it is known to be',
  ),
  check(
    'libvirt.qemu',
    'fail',
    drop('/usr/bin/qemu-system-x86_64'),
    'apt install qemu-system-x86',
    both(drop('/var/lib/dpkg/status'), silent),
    '--version tells no number',
  ),
  check(
    'libvirt.qemu-user',
    'fail',
    put(CONF, 'user = "nobodyhere"\ngroup = "kvm"\n'),
    'Correct user = and group =',
    noConf,
    NO_CONF,
  ),
  check(
    'libvirt.device-acl',
    'fail',
    put(
      CONF,
      'cgroup_device_acl = [\n  "/dev/null", "/dev/full", "/dev/zero",\n  "/dev/random", "/dev/urandom", "/dev/ptmx"\n]\n',
    ),
    'Add them in /etc/libvirt/qemu.conf',
    noConf,
    NO_CONF,
  ),
  check(
    'libvirt.nvram-list',
    'warn',
    put(CONF, 'nvram = [ "/usr/share/ovmf/x64/OVMF_CODE.fd:/usr/share/ovmf/x64/OVMF_VARS.fd" ]\n'),
    'Take nvram = out of /etc/libvirt/qemu.conf',
    noConf,
    NO_CONF,
  ),
  check('hook.installed', 'fail', drop(HOOK), 'passqemu hooks install', hidden, HIDDEN),
  check(
    'hook.executable',
    'fail',
    withMode(HOOK, 0o644),
    'chmod 755 /etc/libvirt/hooks/qemu.d/passqemu',
    hidden,
    HIDDEN,
  ),
  check('hook.node', 'fail', drop('/usr/bin/node'), 'passqemu hooks install', hidden, HIDDEN),
  check(
    'hook.seen',
    'warn',
    both(put('/proc/stat', 'btime 0\n'), ({ host }) =>
      addProcess(host, DAEMON, 'virtqemud', { startTicks: 0 }),
    ),
    'systemctl reload virtqemud',
    put('/proc/stat', 'cpu 1\n'),
    'the start of virtqemud cannot be read',
  ),
  check(
    'hook.others',
    'warn',
    put('/etc/libvirt/hooks/qemu', '#!/bin/bash\nvirsh nodedev-detach pci_0000_01_00_0\n', 0o755),
    'take that part out of /etc/libvirt/hooks/qemu',
    hidden,
    HIDDEN,
  ),
  check(
    'hook.folders',
    'warn',
    ({ host }) => void host.putFolder('/etc/libvirt/hooks/qemu.d/win10'),
    'Remove the folders',
    hidden,
    HIDDEN,
  ),
  check(
    'hook.selinux',
    'fail',
    both(put('/sys/fs/selinux/enforce', '1'), put('/sys/fs/selinux/booleans/virt_hooks_unconfined', '0 0')),
    'setsebool -P virt_hooks_unconfined on',
    put('/sys/fs/selinux/enforce', '1'),
    'no switch virt_hooks_unconfined',
  ),
  check(
    'hook.apparmor',
    'warn',
    both(
      put('/sys/module/apparmor/parameters/enabled', 'Y\n'),
      put('/etc/apparmor.d/usr.sbin.libvirtd', 'profile libvirtd'),
      put('/opt/node/bin/node', 'ELF', 0o755),
      edited(HOOK, '/usr/bin/node', '/opt/node/bin/node'),
    ),
    'Add "/opt/node/bin/node PUx," to /etc/apparmor.d/local/usr.sbin.libvirtd',
    hidden,
    HIDDEN,
  ),
  check(
    'hook.recover-unit',
    'warn',
    drop('/etc/systemd/system/passqemu-recover.service'),
    'passqemu hooks install',
    hidden,
    HIDDEN,
  ),
];

function withMode(path: string, mode: number): (scene: Scene) => void {
  return ({ host }) => void host.put(path, host.peek(path) ?? '', mode);
}

function edited(path: string, from: string, to: string): (scene: Scene) => void {
  return both(edit(path, from, to), withMode(path, 0o755));
}
