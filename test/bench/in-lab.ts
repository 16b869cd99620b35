import type { LabOutput } from './lab-machine.ts';
import type { Measured } from './measured.ts';
import { parseStrace } from './processes.ts';
import { median, ratioOf } from './ratio.ts';
import { UNMANAGED_BOUND } from './unmanaged.ts';

/** How much a call may take beyond what the bare script and a node that does nothing take together. */
const CALL_BOUND = 1.15;

/** The hand-over's own time, without what units and the kernel take, to that of hooks in bash and a node that does nothing. */
const HANDOVER_BOUND = 1.5;

/** Our share of a start and end through libvirt, to the share of hooks in bash that do the same writes. */
const SHARE_BOUND = 1;

/** The hook for a guest that is not ours, against a shell that does nothing. */
export function unmanagedInLab(where: string, output: LabOutput): Measured[] {
  return ['prepare', 'started', 'release'].map((operation) => ({
    what: `${where}: hook, ${operation} of a guest that is not ours, to \`sh -c :\``,
    ratio: ratioOf(pairsOf(output, 'unmanaged nothing', `unmanaged ${operation}`)),
    bound: UNMANAGED_BOUND,
    note: `\`sh -c :\` ${(medianMs(output, 'unmanaged nothing') / 10).toFixed(0)} ms`,
  }));
}

/** Taking and giving back by us, against a bare script and a node that does nothing. */
export function callsInLab(where: string, output: LabOutput): Measured[] {
  const node = timesOf(output, 'calls node');
  return ['prepare', 'release'].map((operation) => {
    const bare = timesOf(output, `calls bare-${operation}`);
    const ours = timesOf(output, `calls ${operation}`);
    const pairs = ours.map((us, round): [number, number] => [bare[round]! + node[round]!, us]);
    const ms = (side: string) => `${medianMs(output, `calls ${side}`).toFixed(0)} ms`;
    return {
      what: `${where}: ${operation} to the bare script and \`node -e 0\``,
      ratio: ratioOf(pairs),
      bound: CALL_BOUND,
      note: `${ms(operation)} to ${ms(`bare-${operation}`)} and ${ms('node')}`,
    };
  });
}

/** Handing the only display over and taking it back: own time to own time, and the wholes. */
export function handoverInLab(where: string, output: LabOutput): Measured[] {
  const side = (name: string) => timesOf(output, `handover ${name}`);
  const node = side('node');
  return ['prepare', 'release'].flatMap((operation) => {
    const [ours, given] = [side(operation), side(`${operation}-given`)];
    const [bare, bareGiven] = [side(`bare-${operation}`), side(`bare-${operation}-given`)];
    const ms = (name: string) => `${medianMs(output, `handover ${name}`).toFixed(0)} ms`;
    const parts = (name: string) => `${ms(name)}, of which units and kernel ${ms(`${name}-given`)}`;
    return [
      {
        what: `${where}: hand-over, own time of ${operation} to that of hooks in bash and \`node -e 0\``,
        ratio: ratioOf(
          ours.map((us, round) => [bare[round]! - bareGiven[round]! + node[round]!, us - given[round]!]),
        ),
        bound: HANDOVER_BOUND,
        note: `${parts(operation)}; bash ${parts(`bare-${operation}`)}`,
      },
      {
        what: `${where}: hand-over, the whole of ${operation} to the same`,
        ratio: ratioOf(ours.map((us, round) => [bare[round]! + node[round]!, us])),
        bound: null,
        note: `\`node -e 0\` ${ms('node')}`,
      },
    ];
  });
}

/**
 * `virsh start` and `virsh destroy` with our hook: against no hook, and our share of the time against that of hooks in bash that make the same
 * changes. The bound is for hooks as guides write them; a script that checks what we check and starts next to no program is shown beside them.
 */
export function virshInLab(where: string, output: LabOutput): Measured[] {
  const side = (name: string) => timesOf(output, `virsh ${name}`);
  const none = side('none');
  const wholes = ['none', 'plain', 'bare', 'passqemu']
    .map((name) => `${name} ${medianMs(output, `virsh ${name}`).toFixed(0)} ms`)
    .join(', ');
  const toNone = (name: string) => ratioOf(side(name).map((us, round) => [none[round]!, us]));
  const added = (name: string, round: number) => side(name)[round]! - none[round]!;
  const shares = (name: string) =>
    ratioOf(none.map((_, round) => [added(name, round), added('passqemu', round)]));
  const what = `${where}: virsh start and destroy`;
  return [
    {
      what: `${what} with passqemu, to the same without a hook`,
      ratio: toNone('passqemu'),
      bound: null,
      note: wholes,
    },
    { what: `${what} with plain hooks in bash, to none`, ratio: toNone('plain'), bound: null, note: '' },
    {
      what: `${what} with one bare script that checks, to none`,
      ratio: toNone('bare'),
      bound: null,
      note: '',
    },
    {
      what: `${where}: what passqemu adds, to what plain hooks add`,
      ratio: shares('plain'),
      bound: SHARE_BOUND,
      note: '',
    },
    {
      what: `${where}: what passqemu adds, to what the bare script adds`,
      ratio: shares('bare'),
      bound: null,
      note: '',
    },
  ];
}

/** A call and every process that it may start. */
export interface CallProcesses {
  readonly call: string;
  readonly forks: number;
  readonly programs: readonly string[];
  readonly expected: { readonly forks: number; readonly programs: readonly string[] };
}

const NODE = 'node --v8-pool-size=0 /usr/local/lib/passqemu/qemu';
const FLOCK = 'flock --timeout 0 5';
const WRITER = 'sh -c …';

/**
 * What each call starts, with what it may: the sh of the hook itself, node, one writer, and flock, which the writer runs. sh waits for node: what a
 * dying node says is not for libvirt's user, and of a failing release libvirt must not hear.
 */
export function processesInLab(output: LabOutput): CallProcesses[] {
  const expected: Record<string, CallProcesses['expected']> = {
    unmanaged: { forks: 0, programs: ['qemu other prepare begin -'] },
    prepare: {
      forks: 3,
      programs: ['qemu bench prepare begin -', `${NODE} bench prepare begin -`, WRITER, FLOCK],
    },
    release: {
      forks: 3,
      programs: ['qemu bench release end -', `${NODE} bench release end -`, WRITER, FLOCK],
    },
  };
  return Object.entries(expected).map(([call, allowed]) => ({
    call,
    ...parseStrace(output.traces.get(call) ?? ''),
    expected: allowed,
  }));
}

/** Whether a call has started exactly what it may. */
export function isExpected({ forks, programs, expected }: CallProcesses): boolean {
  return forks === expected.forks && programs.join('\n') === expected.programs.join('\n');
}

function pairsOf(output: LabOutput, one: string, other: string): [number, number][] {
  const others = timesOf(output, other);
  return timesOf(output, one).map((us, round) => [us, others[round]!]);
}

function timesOf({ times }: LabOutput, side: string): readonly number[] {
  const found = times.get(side);
  if (found === undefined) throw new Error(`measure.sh has told nothing of ${side}`);
  return found;
}

function medianMs(output: LabOutput, side: string): number {
  return median(timesOf(output, side)) / 1000;
}
