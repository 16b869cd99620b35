import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { GuestInputs } from '../../lib/apply/guest.ts';
import { planGuest } from '../../lib/apply/plan-guest.ts';
import type { Host } from '../../lib/host/host.ts';
import { RealHost } from '../../lib/host/real-host.ts';
import { parseProfile } from '../../lib/inputs/read-profile.ts';
import type { Measured } from './measured.ts';
import { median, ratioOf } from './ratio.ts';
import { type HostSize, syntheticAddress, writeSyntheticHost } from './synthetic-host.ts';

const SMALL: HostSize = { cpus: 16, functions: 64 };
const LARGE: HostSize = { cpus: 1024, functions: 2048 };
const ROUNDS = 9;
const WARM_UP = 3;
/** In memory where there is such a folder: tens of thousands of small files are slow to write elsewhere. */
const MEMORY = '/dev/shm';

/** A guest, as a profile for a host of that size. */
interface Guest {
  readonly name: string;
  readonly profile: (size: HostSize) => string;
  /** How much larger its host's part is that it asks about: the bound. */
  readonly growth: (small: HostSize, large: HostSize) => number;
}

const GUESTS: readonly Guest[] = [
  {
    name: 'two functions by address, 4 CPUs',
    profile: ({ functions }) => devices(syntheticAddress(0), syntheticAddress(functions - 3)) + cpus(2, 5),
    growth: byFunctions,
  },
  {
    name: 'two functions by class, 4 CPUs',
    profile: ({ functions }) =>
      devices('class 02 index 0', `class 0108 index ${functions / 4 - 1}`) + cpus(2, 5),
    growth: byFunctions,
  },
  {
    name: 'two functions by address, half the CPUs with their governors',
    profile: (size) =>
      `${devices(syntheticAddress(0), syntheticAddress(1)) + cpus(size.cpus / 2, size.cpus - 1)}governor = performance\n`,
    growth: (small, large) => large.cpus / small.cpus,
  },
  {
    name: 'a quarter of the functions by address, 4 CPUs',
    profile: ({ functions }) =>
      devices(...Array.from({ length: functions / 4 }, (_, index) => syntheticAddress(4 * index + 2))) +
      cpus(2, 5),
    growth: byFunctions,
  },
];

/** How planning grows from a small host to a large one: no more than the host does. */
export function measurePlanning(): Measured[] {
  const folder = mkdtempSync(path.join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'passqemu-bench-'));
  try {
    const [small, large] = [makeHost(folder, SMALL), makeHost(folder, LARGE)];
    return GUESTS.map((guest) => measureGuest(guest, small, large));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function makeHost(folder: string, size: HostSize): Host {
  const root = path.join(folder, String(size.cpus));
  writeSyntheticHost(root, size);
  return new RealHost(root, () => {});
}

function measureGuest({ name, profile, growth }: Guest, small: Host, large: Host): Measured {
  const inputs = [inputsOf(profile(SMALL)), inputsOf(profile(LARGE))] as const;
  const pairs: [number, number][] = [];
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    const pair: [number, number] = [planningMs(small, inputs[0]), planningMs(large, inputs[1])];
    if (round >= 0) pairs.push(pair);
  }
  const sizes = `${median(pairs.map(([ms]) => ms)).toFixed(1)} → ${median(pairs.map(([, ms]) => ms)).toFixed(1)} ms`;
  return { what: name, ratio: ratioOf(pairs), bound: growth(SMALL, LARGE), note: sizes };
}

/** The processor's time, which other programs of the machine do not lengthen as they do the clock's. */
function planningMs(host: Host, inputs: GuestInputs): number {
  const begun = process.cpuUsage();
  const { steps } = planGuest(host, inputs, []);
  const { user, system } = process.cpuUsage(begun);
  const devices = steps.filter(({ kind }) => kind === 'driver').length;
  if (devices !== inputs.profile.devices.requests.length) throw new Error(`the plan has ${devices} devices`);
  return (user + system) / 1000;
}

function inputsOf(text: string): GuestInputs {
  const profile = parseProfile(text, { guest: 'bench', path: '/bench.ini' });
  return { guest: 'bench', profile, sources: new Map(), texts: new Map(), domain: null, asText: '' };
}

function devices(...selectors: readonly string[]): string {
  const lines = selectors.map((selector, index) => `d${index} = ${selector}\n`);
  return `[devices]\n${lines.join('')}[memory]\nhugepages = 2M\nnodes = 0:1G\n`;
}

function cpus(first: number, last: number): string {
  return `[cpu]\nguest = ${first}-${last}\n`;
}

function byFunctions(small: HostSize, large: HostSize): number {
  return large.functions / small.functions;
}
