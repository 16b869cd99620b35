import type { Host } from '../host/host.ts';
import { type Daemon, HOOKS_FOLDER } from './hook-place.ts';

const SELINUX_SWITCH = '/sys/fs/selinux/booleans/virt_hooks_unconfined';

/** What may keep the hook from running although it is installed, and what else runs beside it; a sentence each, with the remedy. */
export function hookHints(host: Host, place: string, daemon: Daemon | null, node: string): string[] {
  return [...selinux(host, place), ...appArmor(host, daemon, node), ...others(host, place)];
}

/** The switch reads "current pending"; it is off on Fedora and RHEL until somebody sets it. See selinux(8), booleans(8). */
function selinux(host: Host, place: string): string[] {
  if (host.readOptional('/sys/fs/selinux/enforce') !== '1') return [];
  const state = host.readOptional(SELINUX_SWITCH);
  if (state === '1 1') return [];
  return [
    `SELinux confines hooks: setsebool -P virt_hooks_unconfined on, then restorecon -F ${place}${state === null ? ' (this policy may have no such switch)' : ''}`,
  ];
}

/** libvirtd's profile lets hooks run what is in the system's own folders (abstractions and PUx rules of usr.sbin.libvirtd). */
function appArmor(host: Host, daemon: Daemon | null, node: string): string[] {
  if (daemon?.process == null) return [];
  const { pid } = daemon.process;
  const label =
    host.readOptional(`/proc/${pid}/attr/apparmor/current`) ?? host.readOptional(`/proc/${pid}/attr/current`);
  if (label === null || !label.endsWith('(enforce)')) return [];
  const profile = `/etc/apparmor.d/local/usr.sbin.${daemon.name}`;
  return /^\/(?:usr\/)?s?bin\//.test(node) || host.readOptional(profile)?.includes(`${node} `)
    ? []
    : [
        `AppArmor confines ${daemon.name}, and node is ${node}: add the line "${node} PUx," to ${profile} and reload it (apparmor_parser -r /etc/apparmor.d/usr.sbin.${daemon.name})`,
      ];
}

/** libvirt runs all of them; ours answers for itself only. A folder is skipped, and its owner believes that it is not. */
function others(host: Host, place: string): string[] {
  const paths = [
    `${HOOKS_FOLDER}/qemu`,
    ...host.list(`${HOOKS_FOLDER}/qemu.d`).map((name) => `${HOOKS_FOLDER}/qemu.d/${name}`),
  ];
  return paths
    .filter((path) => path !== place)
    .flatMap((path) => {
      const facts = host.stat(path, 'follow');
      if (facts?.kind === 'folder') return [`${path} is a folder: libvirt runs nothing in it`];
      if (facts?.kind !== 'file') return [];
      return (facts.mode & 0o111) === 0
        ? [`${path} is not executable: libvirt does not run it`]
        : [`${path} runs at each operation of each guest too; see that both do not change the same things`];
    });
}
