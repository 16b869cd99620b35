import path from 'node:path';
import { callsInLab, handoverInLab, processesInLab, unmanagedInLab, virshInLab } from './in-lab.ts';
import { runLabMachine } from './lab-machine.ts';
import { measurePlanning } from './planning.ts';
import { measureReading } from './reading.ts';
import {
  describeMachine,
  formatSection,
  isSectionKept,
  replaceBetweenMarkers,
  type Section,
} from './report.ts';
import { measureRunStart } from './run-start.ts';
import { measureStartUp } from './start-up.ts';
import { measureUnmanaged } from './unmanaged.ts';

/**
 * `bench.ts [--no-lab] [--write]`: measures what the hook costs, as ratios within this run, and exits 1 where a bound is missed.
 * `--write` puts the tables into docs/performance.md.
 */
const CHECKOUT = path.join(import.meta.dirname, '..', '..');
const RESULTS = path.join(CHECKOUT, 'docs', 'performance.md');
const ROUNDS = 9;
/** Each takes the display manager's end and start along. */
const HANDOVER_ROUNDS = 5;
/** A start and an end through libvirt take long enough to be less noisy. */
const VIRSH_ROUNDS = 5;

const sections: Section[] = [];
function add(section: Section): void {
  sections.push(section);
  process.stdout.write(`\n${formatSection(section)}\n`);
}

/** What a part of the lab is given to: its name for people, and the options of its machine. */
const MACHINES = {
  mid: { name: 'lab without systemd, kernel 6.1', options: ['--tier', 'mid', '--mem', '8G'] },
  full: {
    name: 'lab with systemd, kernel 6.12',
    options: ['--tier', 'full', '--suite', 'trixie', '--mem', '8G'],
  },
} as const;

/** Parts that could not be measured, and why: what the others have measured is not lost with them. */
const failures: string[] = [];
async function tried(title: string, measure: () => Promise<void>): Promise<void> {
  try {
    await measure();
  } catch (error) {
    failures.push(title);
    process.stderr.write(`${title}: not measured: ${(error as Error).message}\n`);
  }
}

async function measureLab(): Promise<void> {
  const { mid, full } = MACHINES;
  const small = await runLabMachine(mid.options, 1, ['processes']);
  add({ title: 'Processes', measured: [], processes: processesInLab(small) });
  const bare = await runLabMachine(mid.options, ROUNDS, ['unmanaged', 'take_and_give_back']);
  const systemd = await runLabMachine(full.options, ROUNDS, ['take_and_give_back']);
  add({
    title: 'In the lab',
    measured: [
      ...unmanagedInLab(mid.name, bare),
      ...callsInLab(mid.name, bare),
      ...callsInLab(full.name, systemd),
    ],
    processes: [],
  });
  await tried('Through libvirt', async () => {
    const virsh = await runLabMachine([...full.options, '--timeout', '900'], VIRSH_ROUNDS, ['virsh_cycle']);
    add({ title: 'Through libvirt', measured: virshInLab(full.name, virsh), processes: [] });
  });
  await tried('The only display', async () => {
    const only = ['--gpu', 'none', '--timeout', '900'];
    const display = await runLabMachine([...full.options, ...only], HANDOVER_ROUNDS, ['handover']);
    add({ title: 'The only display', measured: handoverInLab(full.name, display), processes: [] });
  });
}

const argv = process.argv.slice(2);
add({
  title: 'Outside the lab',
  measured: [
    ...measureUnmanaged(CHECKOUT),
    ...measureStartUp(CHECKOUT),
    ...(await measureRunStart(CHECKOUT)),
  ],
  processes: [],
});
add({
  title: 'Planning, 16 CPUs and 64 functions to 1024 CPUs and 2048 functions',
  measured: measurePlanning(),
  processes: [],
});
add({ title: 'Looking at the machine', measured: measureReading(CHECKOUT), processes: [] });
if (!argv.includes('--no-lab')) await measureLab();
if (argv.includes('--write')) {
  const left = argv.includes('--no-lab') ? ['The lab was left out of this run.'] : [];
  left.push(...failures.map((title) => `Not measured, because it failed: ${title}.`));
  const text = [describeMachine(), ...left, ...sections.map(formatSection)].join('\n\n');
  replaceBetweenMarkers(RESULTS, text);
}
const missed = sections.filter((section) => !isSectionKept(section));
process.stdout.write(
  missed.length === 0
    ? 'Every bound is kept\n'
    : `Bounds are missed: ${missed.map(({ title }) => title).join('; ')}\n`,
);
process.exitCode = missed.length + failures.length === 0 ? 0 : 1;
