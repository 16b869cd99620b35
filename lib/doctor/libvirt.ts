import type { Version } from '../host/virtualization-packages.ts';
import { type Check, fail, ok, unknown, warn, withSeen } from './check.ts';
import { HOOK_CHECKS } from './hooks.ts';
import { install } from './remedies.ts';

const OLDEST_QEMU = 6;
/** Since then libvirt runs what is in hooks/qemu.d (its docs/hooks.rst). */
const FOLDER_SINCE: Version = [6, 5, 0];

/** libvirt, QEMU, and whether our hook is run. */
export const LIBVIRT_CHECKS: readonly Check[] = [
  {
    id: 'libvirt.daemon',
    title: 'libvirt’s daemon',
    meaning:
      'virtqemud (or libvirtd on older systems) runs the guests and calls the hook; passqemu run works without it.',
    judge: (checkup) => {
      const { daemon } = checkup.libvirt;
      if (checkup.processes.length === 0) return unknown('/proc lists no processes');
      if (daemon === null) return warn('libvirt is not installed', install(checkup, 'libvirt'));
      return ok(
        daemon.pid === null ? `${daemon.name} is installed; its socket starts it` : `${daemon.name} runs`,
      );
    },
  },
  {
    id: 'libvirt.version',
    title: 'Version of libvirt',
    meaning: 'From 6.5 on libvirt runs every hook in qemu.d; before that there is place for one hook only.',
    judge: (checkup) => {
      const { version, daemon } = checkup.libvirt;
      if (version === null)
        return daemon === null
          ? ok('libvirt is not installed')
          : unknown('libvirt’s library is not where it is known to be');
      return atLeast(version, FOLDER_SINCE)
        ? ok(`libvirt is ${version.join('.')}`)
        : warn(
            `libvirt is ${version.join('.')}, older than 6.5`,
            'Update the distribution; until then passqemu hooks install puts the hook at /etc/libvirt/hooks/qemu, alone',
          );
    },
  },
  {
    id: 'libvirt.qemu',
    title: 'QEMU',
    meaning: 'The emulator itself; from 6 on it is known to work with all that passqemu asks of it.',
    judge: (checkup) => {
      const { emulator } = checkup.libvirt;
      if (emulator.path === null) return fail('There is no qemu-system-x86_64', install(checkup, 'qemu'));
      return withSeen(emulator.version, (version) =>
        version[0] >= OLDEST_QEMU
          ? ok(`QEMU is ${version.join('.')} (${emulator.path})`)
          : warn(
              `QEMU is ${version.join('.')}, older than ${OLDEST_QEMU}`,
              `Update the distribution (${install(checkup, 'qemu')} brings what it has)`,
            ),
      );
    },
  },
  {
    id: 'libvirt.qemu-user',
    title: 'The user that QEMU runs as',
    meaning:
      'qemu.conf names user and group of the guests’ processes; one that does not exist keeps every guest from starting.',
    judge: ({ libvirt, isRecorded }) =>
      withSeen(libvirt.conf, (conf) => {
        if (isRecorded && (conf?.user != null || conf?.group != null))
          return unknown('a recorded machine does not name its users');
        if (conf === null || (conf.user === null && conf.group === null))
          return ok('libvirt’s own user runs QEMU');
        const odd = [
          conf.userIsKnown ? '' : `user ${conf.user}`,
          conf.groupIsKnown ? '' : `group ${conf.group}`,
        ].filter((one) => one !== '');
        return odd.length === 0
          ? ok(`QEMU runs as ${conf.user ?? 'libvirt’s user'}, group ${conf.group ?? 'libvirt’s'}`)
          : fail(
              `/etc/libvirt/qemu.conf names ${odd.join(' and ')}, unknown on this host`,
              'Correct user = and group = in /etc/libvirt/qemu.conf, then systemctl restart virtqemud libvirtd (which one is there)',
            );
      }),
  },
  {
    id: 'libvirt.device-acl',
    title: 'Device nodes that QEMU may open',
    meaning:
      'cgroup_device_acl replaces libvirt’s own list: what is missing there is refused, /dev/null, /dev/kvm and the input devices included.',
    judge: ({ libvirt }) =>
      withSeen(libvirt.conf, (conf) => {
        if (conf?.deviceAcl == null) return ok('libvirt’s own list of device nodes holds');
        const missing = [
          '/dev/null',
          '/dev/full',
          '/dev/zero',
          '/dev/random',
          '/dev/urandom',
          '/dev/ptmx',
          '/dev/kvm',
        ].filter((node) => !conf.deviceAcl!.includes(node));
        return missing.length === 0
          ? ok(`cgroup_device_acl has ${conf.deviceAcl.length} nodes, those that QEMU needs among them`)
          : fail(
              `cgroup_device_acl lacks ${missing.join(', ')}`,
              'Add them in /etc/libvirt/qemu.conf (or take the setting out), then systemctl restart virtqemud libvirtd (which one is there)',
            );
      }),
  },
  {
    id: 'libvirt.nvram-list',
    title: 'Firmware that qemu.conf names',
    meaning:
      'nvram = [ … ] replaces the firmware that libvirt finds itself; paths of another distribution or an older package lead nowhere.',
    judge: ({ libvirt }) =>
      withSeen(libvirt.conf, (conf) =>
        conf === null || conf.missingFirmware.length === 0
          ? ok('qemu.conf names no firmware that is missing')
          : warn(
              `/etc/libvirt/qemu.conf names ${conf.missingFirmware[0]}, which is not there`,
              'Take nvram = out of /etc/libvirt/qemu.conf: libvirt finds the firmware by its descriptors',
            ),
      ),
  },
  ...HOOK_CHECKS,
];

function atLeast(version: Version, least: Version): boolean {
  for (const [at, part] of version.entries()) if (part !== least[at]!) return part > least[at]!;
  return true;
}
