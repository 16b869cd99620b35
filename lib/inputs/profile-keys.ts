import type { CpuSet } from '../words/cpu-list.ts';
import { HANDOVER_KEYS } from './handover-keys.ts';

/** What a value of each kind becomes. Durations are ms, sizes KiB. */
export interface ValueOfKind {
  readonly 'yes-no': boolean;
  readonly choice: string;
  readonly duration: number;
  readonly size: number;
  readonly 'page-size': number;
  readonly 'node-sizes': readonly { readonly node: number; readonly sizeKib: number }[];
  readonly cpus: CpuSet;
  readonly name: string;
  readonly names: readonly string[];
  readonly integer: number;
  readonly command: readonly string[];
}
export type ValueKind = keyof ValueOfKind;

/** One key of the profile: what the reader, the help, the man page, the completion and docs/profile.md know of it. */
export interface ProfileKey {
  readonly kind: ValueKind;
  /** As it would stand in the profile; null: the key says nothing, the domain XML decides or nothing is changed. */
  readonly default: string | null;
  readonly help: string;
  readonly choices?: readonly string[];
  /** Least and most: ms for durations, KiB for sizes. */
  readonly range?: readonly [number, number];
}

/** The sections, in the order of the manual. [devices] has labels of the user's own instead of fixed keys. */
export const PROFILE_SECTIONS = {
  devices:
    'The functions the guest gets beside those of its domain XML: a label of your own for each, and which function it is.',
  options: 'How devices are taken.',
  memory: "The huge pages behind the guest's memory.",
  cpu: 'The CPUs that belong to the guest while it runs.',
  handover: 'The desktop that is on the card: how it lets go, and comes back.',
  knobs: 'Settings of the whole host, held while any guest asks for them.',
  commands:
    'Programs of your own at each stage, run without a shell; a failing one before the start undoes everything.',
} as const;
export type SectionName = keyof typeof PROFILE_SECTIONS;

const SECOND = 1000;
const HOUR = 3600 * SECOND;

/** Every fixed key as "section.key". */
export const PROFILE_KEYS = {
  'options.siblings': {
    kind: 'choice',
    choices: ['refuse', 'park'],
    default: 'refuse',
    help: 'What happens to functions of a touched IOMMU group that nobody named: refuse the start, or park them without a driver.',
  },
  'options.managed': {
    kind: 'choice',
    choices: ['take', 'leave'],
    default: 'take',
    help: "Whether functions that the domain XML has as managed='yes' are taken before libvirt looks, or left to libvirt.",
  },
  'options.allow-default-route': {
    kind: 'yes-no',
    default: 'no',
    help: 'Whether the network card that carries the default route may be taken.',
  },
  'options.device-timeout': {
    kind: 'duration',
    range: [SECOND, 600 * SECOND],
    default: '20s',
    help: 'How long one unbind or bind may take before the device counts as wedged.',
  },
  'options.keep-awake': {
    kind: 'choice',
    choices: ['display', 'all', 'no'],
    default: 'display',
    help: 'Which functions are kept from D3 while the guest has them: some graphics cards do not wake up from it.',
  },
  'options.reset-methods': {
    kind: 'names',
    default: null,
    help: "How functions are reset, as label:method, such as gpu:bus, or gpu:flr+bus for two in order; else the kernel's choice.",
  },
  'options.bar-sizes': {
    kind: 'names',
    default: null,
    help: 'Sizes of resizable BARs while the guest has the function, as label:bar:size, such as gpu:0:256M.',
  },

  'memory.hugepages': {
    kind: 'page-size',
    default: null,
    help: 'The page size; off takes none, even if the domain XML asks for them.',
  },
  'memory.size': {
    kind: 'size',
    range: [4, 64 * 1024 ** 3],
    default: null,
    help: 'How much memory the huge pages must cover; else the size of the domain.',
  },
  'memory.nodes': {
    kind: 'node-sizes',
    default: null,
    help: "How much of it on which NUMA node of the host, as node:size; else the domain's numatune, else the node of the guest's CPUs.",
  },
  'memory.wait': {
    kind: 'duration',
    range: [0, HOUR],
    default: '20s',
    help: 'How long to try again while the kernel has too few pages.',
  },
  'memory.compact': {
    kind: 'yes-no',
    default: 'yes',
    help: 'Whether memory is compacted where pages are short.',
  },
  'memory.drop-caches': {
    kind: 'yes-no',
    default: 'no',
    help: 'Whether file caches are dropped too where pages are short.',
  },

  'cpu.guest': {
    kind: 'cpus',
    default: null,
    help: "The guest's CPUs; else those of the domain's cputune and vcpu cpuset. Without either, the next three keys do nothing.",
  },
  'cpu.isolate': {
    kind: 'yes-no',
    default: 'yes',
    help: "Whether the host's slices are kept off the guest's CPUs.",
  },
  'cpu.irqs': {
    kind: 'yes-no',
    default: 'yes',
    help: "Whether interrupts are moved off the guest's CPUs, and those of its own devices onto them while it runs.",
  },
  'cpu.workqueues': {
    kind: 'yes-no',
    default: 'yes',
    help: "Whether the kernel's unbound workqueues are kept off the guest's CPUs.",
  },
  'cpu.governor': {
    kind: 'name',
    default: null,
    help: "The cpufreq governor of the guest's CPUs, such as performance.",
  },
  'cpu.energy': {
    kind: 'name',
    default: null,
    help: 'Their energy preference, such as balance_performance.',
  },

  ...HANDOVER_KEYS,

  'knobs.transparent-hugepages': {
    kind: 'choice',
    choices: ['always', 'madvise', 'never'],
    default: null,
    help: 'Transparent huge pages of the host.',
  },
  'knobs.ksm': {
    kind: 'yes-no',
    default: null,
    help: 'Whether the kernel merges same pages.',
  },
  'knobs.rt-runtime-us': {
    kind: 'integer',
    range: [1, 990_000],
    default: null,
    help: 'Microseconds of each second (sched_rt_runtime_us) that real-time tasks may use; never -1, which lets one of them take a CPU for good.',
  },
  'knobs.nmi-watchdog': {
    kind: 'yes-no',
    default: null,
    help: 'Whether the NMI watchdog runs.',
  },
  'knobs.stat-interval': {
    kind: 'duration',
    range: [SECOND, HOUR],
    default: null,
    help: 'How often the kernel folds its memory statistics (vm.stat_interval), in whole seconds.',
  },
  'knobs.compaction-proactiveness': {
    kind: 'integer',
    range: [0, 100],
    default: null,
    help: 'How eagerly the kernel compacts memory in the background (vm.compaction_proactiveness).',
  },
  'knobs.inhibit-sleep': {
    kind: 'yes-no',
    default: 'yes',
    help: 'Whether the host is kept from sleeping while the guest has its devices.',
  },

  'commands.prepare-first': command('Before anything is taken.'),
  'commands.prepare-first-timeout': commandTimeout('prepare-first'),
  'commands.prepare-last': command('When everything is taken, before the guest starts.'),
  'commands.prepare-last-timeout': commandTimeout('prepare-last'),
  'commands.started': command('When the guest runs.'),
  'commands.started-timeout': commandTimeout('started'),
  'commands.stopped': command('When the guest has ended, before anything is given back.'),
  'commands.stopped-timeout': commandTimeout('stopped'),
  'commands.release-first': command('At the beginning of the give-back.'),
  'commands.release-first-timeout': commandTimeout('release-first'),
  'commands.release-last': command('When everything is given back.'),
  'commands.release-last-timeout': commandTimeout('release-last'),
  'commands.timeout': {
    kind: 'duration',
    range: [SECOND / 10, HOUR],
    default: '30s',
    help: 'How long each command may take that has no time limit of its own.',
  },
} as const satisfies Record<string, ProfileKey>;
export type KeyName = keyof typeof PROFILE_KEYS;

/** The type of a key's value; null where it may say nothing. */
export type ValueOf<N extends KeyName> =
  | ((typeof PROFILE_KEYS)[N] extends { readonly choices: readonly (infer Choice)[] }
      ? Choice
      : ValueOfKind[(typeof PROFILE_KEYS)[N]['kind']])
  | ((typeof PROFILE_KEYS)[N]['default'] extends null ? null : never);

/** The commands' names, in the order in which they run. */
export const COMMAND_NAMES = [
  'prepare-first',
  'prepare-last',
  'started',
  'stopped',
  'release-first',
  'release-last',
] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

/** The key of that name, or null. */
export function profileKey(section: string, key: string): ProfileKey | null {
  const name = `${section}.${key}`;
  return Object.hasOwn(PROFILE_KEYS, name) ? PROFILE_KEYS[name as KeyName] : null;
}

/** The names of a section's fixed keys, without the section. */
export function keysOfSection(section: string): readonly string[] {
  return Object.keys(PROFILE_KEYS)
    .filter((name) => name.startsWith(`${section}.`))
    .map((name) => name.slice(section.length + 1));
}

/** Whether there is a section of that name. */
export function isSection(name: string): name is SectionName {
  return Object.hasOwn(PROFILE_SECTIONS, name);
}

/** How a value of the key is written, for help and manual: "yes|no", "CPUS", "SIZE". */
export function valueSyntax(key: ProfileKey): string {
  return key.kind === 'choice' ? key.choices!.join('|') : SYNTAX[key.kind];
}

const SYNTAX: Readonly<Record<Exclude<ValueKind, 'choice'>, string>> = {
  'yes-no': 'yes|no',
  duration: 'DURATION',
  size: 'SIZE',
  'page-size': '2M|1G|off',
  'node-sizes': 'NODE:SIZE…',
  cpus: 'CPUS',
  name: 'NAME',
  names: 'NAME…',
  integer: 'NUMBER',
  command: 'COMMAND',
};

function command(when: string) {
  return { kind: 'command', default: null, help: when } as const;
}

function commandTimeout(name: string) {
  return {
    kind: 'duration',
    range: [SECOND / 10, HOUR],
    default: null,
    help: `How long ${name} may take; else timeout.`,
  } as const;
}
