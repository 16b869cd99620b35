import type { Seen } from '../words/seen.ts';
import type { Host } from './host.ts';
import { type LibvirtDaemon, readLibvirtDaemon } from './libvirt-daemon.ts';
import { type HookFile, readHookFiles } from './libvirt-hooks.ts';
import type { ProcessFacts } from './process-list.ts';
import { type QemuConf, readQemuConf } from './qemu-conf.ts';
import {
  type EmulatorFacts,
  readEmulator,
  readLibvirtVersion,
  type Version,
} from './virtualization-packages.ts';

/** libvirt, QEMU and the hook between them and us. */
export interface LibvirtFacts {
  readonly daemon: LibvirtDaemon | null;
  readonly version: Version | null;
  readonly emulator: EmulatorFacts;
  readonly hooks: Seen<readonly HookFile[]>;
  readonly conf: Seen<QemuConf | null>;
  /** SELinux enforces, and whether hooks may leave its confinement; null where the policy has no such switch. */
  readonly selinux: { readonly enforcing: boolean; readonly hooksUnconfined: boolean | null };
  /** AppArmor is on and has a profile for the daemon; the paths that its local part names. */
  readonly apparmor: { readonly confines: boolean; readonly local: string };
  readonly recoverUnit: boolean;
}

/** Reads it. */
export async function readLibvirtFacts(
  host: Host,
  processes: readonly ProcessFacts[],
  isRoot: boolean,
): Promise<LibvirtFacts> {
  const switched = host.readOptional('/sys/fs/selinux/booleans/virt_hooks_unconfined');
  const profiles = ['usr.sbin.libvirtd', 'usr.sbin.virtqemud'];
  return {
    daemon: readLibvirtDaemon(host, processes),
    version: readLibvirtVersion(host),
    emulator: await readEmulator(host),
    hooks: readHookFiles(host, isRoot),
    conf: readQemuConf(host),
    selinux: {
      enforcing: host.readOptional('/sys/fs/selinux/enforce') === '1',
      hooksUnconfined: switched === null ? null : switched.startsWith('1'),
    },
    apparmor: {
      confines:
        host.readOptional('/sys/module/apparmor/parameters/enabled') === 'Y' &&
        profiles.some((name) => host.exists(`/etc/apparmor.d/${name}`)),
      local: profiles.map((name) => host.readOptional(`/etc/apparmor.d/local/${name}`) ?? '').join('\n'),
    },
    recoverUnit: host.exists('/etc/systemd/system/passqemu-recover.service'),
  };
}
