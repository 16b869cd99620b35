import type { Checkup } from '../host/checkup.ts';
import type { HookFile } from '../host/libvirt-hooks.ts';
import { formatArgvWords } from '../inputs/argv-words.ts';
import { type Check, fail, ok, unknown, type Verdict, warn, withSeen } from './check.ts';

/** Whether libvirt runs our hook, and lets it work. */
export const HOOK_CHECKS: readonly Check[] = [
  {
    id: 'hook.installed',
    title: 'passqemu’s hook',
    meaning:
      'libvirt calls the hook when a guest starts and ends; without it nothing is taken and nothing given back.',
    judge: (checkup) =>
      withHooks(checkup, (hooks) => {
        if (hooks.some(({ ours }) => ours))
          return ok(`The hook is at ${hooks.find(({ ours }) => ours)!.path}`);
        return checkup.profiles.length > 0
          ? fail(
              `The hook is not installed, but ${checkup.profiles.join(', ')} ${checkup.profiles.length === 1 ? 'has a profile' : 'have profiles'}`,
              'passqemu hooks install (as root)',
            )
          : warn(
              'The hook is not installed',
              'passqemu hooks install (as root); not needed for passqemu run',
            );
      }),
  },
  {
    id: 'hook.executable',
    title: 'Hooks are executable',
    meaning: 'libvirt skips a hook without x for its owner, with a warning in its log and nowhere else.',
    judge: (checkup) =>
      withHooks(checkup, (hooks) => {
        const dead = hooks.filter(({ executable, isFolder }) => !executable && !isFolder);
        if (dead.length === 0) return ok('Every hook that is there is executable');
        const remedy = `chmod 755 ${formatArgvWords(dead.map(({ path }) => path))}`;
        const what = `${dead.map(({ path }) => path).join(', ')} ${dead.length === 1 ? 'is' : 'are'} not executable`;
        return dead.some(({ ours }) => ours) ? fail(what, remedy) : warn(what, remedy);
      }),
  },
  {
    id: 'hook.node',
    title: 'The hook’s Node.js',
    meaning:
      'The hook has the path of node that it was installed with; after an update or removal of that node every guest with a profile fails to start.',
    judge: (checkup) =>
      withHooks(checkup, (hooks) => {
        const ours = hooks.filter((hook) => hook.ours);
        const lost = ours.filter(({ nodeIsThere }) => !nodeIsThere);
        if (ours.length === 0) return ok('The hook is not installed');
        return lost.length === 0
          ? ok(`The hook runs ${ours[0]!.node}`)
          : fail(
              `The hook would run ${lost[0]!.node ?? 'no node'}, which is not there`,
              'passqemu hooks install (as root, with the node that it shall use)',
            );
      }),
  },
  {
    id: 'hook.seen',
    title: 'The daemon knows of the hook',
    meaning: 'A daemon that found no hook when it started looks for none until it is reloaded.',
    judge: (checkup) =>
      withHooks(checkup, (hooks) => {
        const { daemon } = checkup.libvirt;
        const files = hooks.filter(({ isFolder }) => !isFolder);
        if (files.length === 0) return ok('There is no hook to know of');
        if (daemon === null || daemon.pid === null)
          return ok('The daemon does not run now and will look when it starts');
        if (daemon.toldToLook) return ok(`${daemon.name} was reloaded when the hook was installed`);
        if (checkup.isRecorded)
          return unknown('a recorded machine does not keep when its hooks have changed');
        if (daemon.startedMs === null)
          return unknown(
            `the start of ${daemon.name} cannot be read`,
            `systemctl reload ${daemon.name} makes sure`,
          );
        return files.some(({ changedMs }) => changedMs < daemon.startedMs!)
          ? ok(`${daemon.name} has started after a hook was there, so it looks for hooks`)
          : warn(
              `Every hook is newer than ${daemon.name}, which may not look for any`,
              `systemctl reload ${daemon.name}`,
            );
      }),
  },
  {
    id: 'hook.others',
    title: 'Other hooks that take devices',
    meaning:
      'Two hooks that bind the same device, or a script put straight into qemu.d (it runs for every guest and operation), undo each other’s work.',
    judge: (checkup) =>
      withHooks(checkup, (hooks) => {
        const others = hooks.filter(({ takesDevices }) => takesDevices);
        return others.length === 0
          ? ok('No other hook takes devices')
          : warn(
              `${others.map(({ path }) => path).join(', ')} binds devices too`,
              `Leave devices to one of them: take that part out of ${others[0]!.path}, or passqemu disable the guest`,
            );
      }),
  },
  {
    id: 'hook.folders',
    title: 'Folders in qemu.d',
    meaning:
      'libvirt’s qemu.d is flat: the folders of old hook helpers (qemu.d/GUEST/prepare/begin) are run only by that helper, /etc/libvirt/hooks/qemu.',
    judge: (checkup) =>
      withHooks(checkup, (hooks) => {
        const folders = hooks.filter(({ isFolder }) => isFolder);
        const helper = hooks.find(({ path, isFolder }) => path === '/etc/libvirt/hooks/qemu' && !isFolder);
        return folders.length === 0 || helper !== undefined
          ? ok(
              folders.length === 0
                ? 'qemu.d has no folders'
                : `${helper!.path} runs what is in the folders of qemu.d`,
            )
          : warn(
              `Nothing runs what is in ${folders.map(({ path }) => path).join(', ')}`,
              'Remove the folders (what they did, passqemu’s profile does), or put their helper back to /etc/libvirt/hooks/qemu',
            );
      }),
  },
  {
    id: 'hook.selinux',
    title: 'SELinux and hooks',
    meaning:
      'Confined hooks may not write to /sys or start node: on Fedora the switch virt_hooks_unconfined is off by default.',
    judge: ({ libvirt }) => {
      const { enforcing, hooksUnconfined } = libvirt.selinux;
      if (!enforcing) return ok('SELinux does not enforce here');
      if (hooksUnconfined === null)
        return unknown(
          'the SELinux policy has no switch virt_hooks_unconfined',
          'ausearch -m avc -c qemu shows whether hooks are denied anything',
        );
      return hooksUnconfined
        ? ok('SELinux leaves hooks unconfined')
        : fail('SELinux confines libvirt’s hooks', 'setsebool -P virt_hooks_unconfined on');
    },
  },
  {
    id: 'hook.apparmor',
    title: 'AppArmor and hooks',
    meaning:
      'The profile of libvirt’s daemon lets it run programs of /usr/bin and /usr/sbin; a node elsewhere is denied.',
    judge: (checkup) =>
      withHooks(checkup, (hooks) => {
        const { confines, local } = checkup.libvirt.apparmor;
        const odd = hooks.flatMap(({ node }) =>
          node === null || /^\/(?:usr\/)?s?bin\//.test(node) || local.includes(node) ? [] : [node],
        );
        return !confines || odd.length === 0
          ? ok(
              confines
                ? 'AppArmor’s profile allows what the hook runs'
                : 'AppArmor does not confine libvirt here',
            )
          : warn(
              `AppArmor’s profile of libvirt does not name ${odd[0]}, which the hook runs`,
              `Add "${odd[0]} PUx," to /etc/apparmor.d/local/usr.sbin.libvirtd, then apparmor_parser -r /etc/apparmor.d/usr.sbin.libvirtd`,
            );
      }),
  },
  {
    id: 'hook.recover-unit',
    title: 'Recovery after a crash',
    meaning:
      'passqemu-recover.service gives back what guests left behind, after libvirt’s daemon has started and before shutdown.',
    judge: (checkup) =>
      withHooks(checkup, (hooks) => {
        if (!hooks.some(({ ours }) => ours)) return ok('The hook is not installed');
        return checkup.libvirt.recoverUnit || !checkup.hasSystemd
          ? ok(checkup.hasSystemd ? 'The unit is there' : 'systemd does not run here')
          : warn(
              'The unit passqemu-recover.service is missing',
              'passqemu hooks install (as root) writes it',
            );
      }),
  },
];

function withHooks({ libvirt }: Checkup, judge: (hooks: readonly HookFile[]) => Verdict): Verdict {
  return withSeen(libvirt.hooks, judge);
}
