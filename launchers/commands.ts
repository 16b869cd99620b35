import type { Command } from './command.ts';
import type { OptionSpec } from './command-line.ts';
import { CONVERT_COMMANDS } from './commands-convert.ts';
import { MACHINE_COMMANDS } from './machine-commands.ts';
import { MANUAL_COMMANDS } from './manual-commands.ts';

const DOMAIN: OptionSpec = {
  name: 'domain',
  value: 'FILE',
  help: 'the domain XML, - for standard input (else libvirt is asked for it)',
};

/** Every command, in the order of the manual. */
export const COMMANDS: readonly Command[] = [
  {
    name: 'plan',
    words: '<guest>',
    summary: 'show what starting the guest will change, or all reasons why it cannot start',
    options: [DOMAIN],
    changes: false,
    count: [1, 1],
    run: async (line, globals) => (await import('./plan.ts')).plan(line, globals),
  },
  {
    name: 'prepare',
    words: '<guest>',
    summary: 'take the guest’s devices, memory and CPUs; all of it or nothing',
    options: [
      DOMAIN,
      { name: 'rehearse', help: 'take everything, wait, give it back, and tell how long each step took' },
      { name: 'for', value: 'DURATION', help: 'how long the rehearsal waits in between (default 30s)' },
      {
        name: 'owner',
        value: 'PID',
        help: 'the process that will release it: when it is gone, recover may (passqemu run)',
      },
    ],
    changes: true,
    count: [1, 1],
    run: async (line, globals) => (await import('./prepare.ts')).prepare(line, globals),
  },
  {
    name: 'run',
    words: '<guest>',
    summary: 'start a guest without libvirt; words behind -- are further arguments of QEMU',
    options: [
      { name: 'dry-run', help: 'print QEMU’s command line and change nothing' },
      { name: 'print-command', help: 'the same' },
    ],
    changes: false,
    count: [1, 1],
    run: async (line, globals) => (await import('./run-command.ts')).run(line, globals),
  },
  {
    name: 'release',
    words: '<guest>',
    summary: 'give back exactly what the guest was given',
    options: [],
    changes: true,
    count: [1, 1],
    run: async (line, globals) => (await import('./release.ts')).release(line, globals),
  },
  {
    name: 'recover',
    words: '',
    summary: 'give back what guests that no longer run still hold; safe while others run',
    options: [
      {
        name: 'wait',
        value: 'DURATION',
        help: 'how long another operation that is going on is waited for (default 1m)',
      },
    ],
    changes: true,
    count: [0, 0],
    run: async (line, globals) => (await import('./recover.ts')).recover(line, globals),
  },
  {
    name: 'status',
    words: '[guest]',
    summary: 'show who holds what, and what others have changed of it since',
    options: [],
    changes: false,
    count: [0, 1],
    run: async (line, globals) => (await import('./status.ts')).status(line, globals),
  },
  {
    name: 'stop',
    words: '<guest>',
    summary: 'power down a guest of passqemu run; end its QEMU where it does not listen',
    options: [
      { name: 'force', help: 'end QEMU at once, as if the plug were pulled' },
      {
        name: 'timeout',
        value: 'SECONDS',
        help: 'how long the guest may take (default 60)',
      },
      { name: 'if-running', help: 'a guest that does not run is no failure' },
    ],
    changes: true,
    count: [1, 1],
    run: async (line, globals) => (await import('./stop.ts')).stop(line, globals),
  },
  {
    name: 'monitor',
    words: '<guest> [command…]',
    summary: 'talk to the QEMU of a guest of passqemu run: QMP, or : and a line of the human monitor',
    options: [],
    changes: true,
    count: [1, 50],
    run: async (line, globals) => (await import('./monitor.ts')).monitor(line, globals),
  },
  {
    name: 'attach',
    words: '<guest> <device>',
    summary:
      'plug a PCI function (0000:01:00.0) or a USB device (046d:c52b, or its port 1-2.3) into a running guest of passqemu run',
    options: [],
    changes: true,
    count: [2, 2],
    run: async (line, globals) => (await import('./attach.ts')).attach(line, globals),
  },
  {
    name: 'detach',
    words: '<guest> <device>',
    summary: 'unplug it, and give the host back what was taken for it',
    options: [],
    changes: true,
    count: [2, 2],
    run: async (line, globals) => (await import('./attach.ts')).detach(line, globals),
  },
  {
    name: 'service',
    words: '<guest>',
    summary:
      'write a systemd unit that runs the guest; what it holds is given back even if the launcher is killed',
    options: [
      { name: 'print', help: 'print the unit, write nothing' },
      { name: 'remove', help: 'remove it again' },
    ],
    changes: true,
    count: [1, 1],
    run: async (line, globals) => (await import('./service.ts')).service(line, globals),
  },
  {
    name: 'hook',
    words: '<guest> <operation> <sub-operation> <extra>',
    summary: 'what libvirt’s hook runs; the domain XML is on standard input',
    options: [{ name: 'explain', help: 'print the decision for the XML and change nothing' }],
    changes: true,
    count: [1, 4],
    run: async (line, globals) => (await import('./hook.ts')).hook(line, globals),
  },
  {
    name: 'enable',
    words: '<guest>',
    summary: 'make a minimal profile, so that the hook manages this libvirt guest',
    options: [DOMAIN, { name: 'force', help: 'write it anew where there is one' }],
    changes: true,
    count: [1, 1],
    run: async (line, globals) => (await import('./enable.ts')).enable(line, globals),
  },
  {
    name: 'disable',
    words: '<guest>',
    summary: 'take the profile out of the hook’s sight, kept as <guest>.ini.disabled',
    options: [],
    changes: true,
    count: [1, 1],
    run: async (line, globals) => (await import('./enable.ts')).disable(line, globals),
  },
  {
    name: 'hooks',
    words: 'install|uninstall|status',
    summary: 'install libvirt’s hook, remove it, or say how it is',
    options: [{ name: 'force', help: 'uninstall: also while a guest holds what only the hook gives back' }],
    changes: true,
    count: [1, 1],
    run: async (line, globals) => (await import('./hooks.ts')).hooks(line, globals),
  },
  ...MACHINE_COMMANDS,
  ...CONVERT_COMMANDS,
  {
    name: 'rom',
    words: 'dump ADDRESS FILE | check FILE',
    summary: 'save a card’s video BIOS, or say whether a file can be one',
    options: [
      { name: 'card', value: 'ADDRESS', help: 'check: the ROM must be this card’s' },
      { name: 'force', help: 'dump: write over a file that is there' },
    ],
    changes: false,
    count: [2, 3],
    run: async (line, globals) => (await import('./rom.ts')).rom(line, globals),
  },
  {
    name: 'sriov',
    words: '<address> <N>',
    summary: 'make so many virtual functions of a physical one, 0 ends them; until the next boot',
    options: [{ name: 'dry-run', help: 'look and refuse as else, but change nothing' }],
    changes: true,
    count: [2, 2],
    run: async (line, globals) => (await import('./sriov.ts')).sriov(line, globals),
  },
  {
    name: 'doctor',
    words: '[guest]',
    summary:
      'say what is right and wrong with this host, and a guest, for passthrough, and what to do about it',
    options: [DOMAIN],
    changes: false,
    count: [0, 1],
    run: async (line, globals) => (await import('./doctor.ts')).doctor(line, globals),
  },
  ...MANUAL_COMMANDS,
  {
    name: 'version',
    words: '',
    summary: 'print the version',
    options: [],
    changes: false,
    count: [0, 0],
    run: async (line, globals) => (await import('./version.ts')).version(line, globals),
  },
];

/** What every command takes. */
export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'sysroot',
    value: 'DIR|FILE',
    help: 'read a recorded machine instead of this one: a folder, or a snapshot’s file',
  },
  { name: 'config-dir', value: 'DIR', help: 'where the profiles are (default /etc/passqemu)' },
  { name: 'state-dir', value: 'DIR', help: 'where the journals are (default /run/passqemu)' },
  { name: 'json', help: 'print JSON' },
  { name: 'quiet', short: 'q', help: 'print nothing but complaints' },
  { name: 'verbose', short: 'v', help: 'tell each step, and the log’s lines' },
  { name: 'help', short: 'h', help: 'show this' },
];
