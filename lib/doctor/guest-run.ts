import { formatArgvWords } from '../inputs/argv-words.ts';
import { type Check, fail, ok, withSeen } from './check.ts';

/** A part of what can keep QEMU from being started, by the refusals of the planner (lib/qemu) that belong to it. */
interface Part {
  readonly id: string;
  readonly title: string;
  readonly meaning: string;
  readonly refusals: readonly string[];
  readonly content: string;
}

const PARTS: readonly Part[] = [
  {
    id: 'guest.run-qemu',
    title: 'QEMU has what the profile asks for',
    meaning:
      'QEMU is asked for its devices and options, never judged by its version: distributions leave parts out.',
    refusals: ['no-qemu', 'qemu-lacks'],
    content: 'QEMU has all that the profile asks for',
  },
  {
    id: 'guest.run-kvm',
    title: 'KVM for the guest',
    meaning:
      'Without /dev/kvm, or the right to open it, QEMU does not start (or emulates, a hundred times slower, with accel = tcg).',
    refusals: ['no-kvm', 'kvm-denied'],
    content: 'The guest has the accelerator that its profile asks for',
  },
  {
    id: 'guest.run-files',
    title: 'Files that the profile names',
    meaning:
      'Disk images, shares, ROMs, kernels, tables and input devices must be there, and be what they are used as.',
    refusals: ['file-missing', 'file-kind', 'tpm-path'],
    content: 'All files and nodes that the profile names are there',
  },
  {
    id: 'guest.run-disks',
    title: 'Disks that nobody else writes',
    meaning:
      'A disk that the host has mounted, that another guest has open, or that stands in the profile twice is destroyed by two writers.',
    refusals: ['disk-busy', 'disk-in-use', 'disk-twice'],
    content: 'Nobody else uses the guest’s disks',
  },
  {
    id: 'guest.run-firmware',
    title: 'Firmware of the guest and its variables',
    meaning:
      'UEFI is two files that must fit: code that all guests share, and variables of which each guest needs its own copy.',
    refusals: ['no-firmware', 'firmware-sizes', 'shared-variables', 'no-variables'],
    content: 'The guest’s firmware is there, and its variables are its own',
  },
  {
    id: 'guest.run-devices',
    title: 'Passed functions as QEMU gets them',
    meaning:
      'A label of [devices] must mean one function of this host, and a card of several functions needs its function 0.',
    refusals: ['device-unclear', 'no-function-0', 'same-function', 'two-vga', 'no-iommufd'],
    content: 'QEMU can be given every function of [devices]',
  },
  {
    id: 'guest.run-networks',
    title: 'Networks of the guest',
    meaning:
      'Bridges, taps and interfaces are made by the host’s own network configuration; a bridge also needs qemu-bridge-helper.',
    refusals: ['no-interface', 'no-bridge', 'no-tap', 'no-vhost', 'no-bridge-helper'],
    content: 'The networks that the profile names are there',
  },
  {
    id: 'guest.run-ports',
    title: 'Ports that the guest listens on',
    meaning: 'A screen or a forwarded port on which another program listens keeps QEMU from starting.',
    refusals: ['port-in-use'],
    content: 'The ports are free',
  },
  {
    id: 'guest.run-programs',
    title: 'Programs beside QEMU',
    meaning: 'A TPM needs swtpm and a share needs virtiofsd; both are packages of their own.',
    refusals: ['no-swtpm', 'no-virtiofsd', 'virtiofsd-old'],
    content: 'The programs that the guest needs beside QEMU are installed',
  },
];

const KNOWN = new Set(PARTS.flatMap(({ refusals }) => refusals));

/** What a guest that `run` starts needs of this host; of one of libvirt's there is nothing to look at. */
export const GUEST_RUN_CHECKS: readonly Check[] = [
  ...PARTS.map((part) => checkOf(part, (id) => part.refusals.includes(id))),
  checkOf(
    {
      id: 'guest.run-start',
      title: 'QEMU can be started',
      meaning:
        'Everything else that passqemu run would refuse: the guest runs already, no room on the board, memory or CPUs that do not fit.',
      content: 'Nothing else speaks against starting QEMU',
    },
    (id) => !KNOWN.has(id),
  ),
];

function checkOf(part: Omit<Part, 'refusals'>, isOurs: (id: string) => boolean): Check {
  const { id, title, meaning, content } = part;
  return {
    id,
    title,
    meaning,
    judge: ({ guest }) => {
      if (guest === null) return ok('No guest was asked about');
      if (guest.run === null) return ok('The guest is not one that passqemu run starts');
      return withSeen(guest.run, (all) => {
        const refusals = all.filter((refusal) => isOurs(refusal.id));
        return refusals.length === 0
          ? ok(content)
          : fail(
              refusals.map(({ summary }) => summary).join('; '),
              [...new Set(refusals.flatMap(({ remedy }) => remedy ?? []))].join('; ') ||
                `Correct the profile (passqemu run --dry-run ${formatArgvWords([guest.guest])} shows all reasons)`,
            );
      });
    },
  };
}
