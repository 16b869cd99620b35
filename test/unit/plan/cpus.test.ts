import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CpuPicture } from '../../../lib/host/cpu-picture.ts';
import type { Domain } from '../../../lib/inputs/domain.ts';
import type { Profile } from '../../../lib/inputs/profile.ts';
import { planCpus } from '../../../lib/plan/cpus.ts';
import type { PlanPart } from '../../../lib/plan/part.ts';
import type { CpuSet } from '../../../lib/words/cpu-list.ts';
import type { HeldStep } from '../../../lib/words/step.ts';
import { cpuProfile } from '../../fake/cpu-machine.ts';
import { listOf } from '../../fake/cpu-model.ts';

const ALL = listOf('0-7');
const UNITS = ['system.slice', 'user.slice', 'init.scope'];

/** A machine of eight CPUs under systemd, all of it the host's. */
function picture(more: Partial<CpuPicture> = {}): CpuPicture {
  return {
    online: ALL,
    present: ALL,
    possible: ALL,
    isolated: [],
    nohzFull: [],
    control: { by: 'systemd', units: UNITS.map((unit) => ({ unit, effective: ALL, stronger: null })) },
    forgetsAffinities: false,
    defaultIrqCpus: ALL,
    workqueueCpus: ALL,
    policies: [],
    governorLoadable: false,
    rivals: [],
    ...more,
  };
}

function domain(more: Partial<Domain> = {}): Domain {
  return {
    name: 'win',
    uuid: null,
    memoryKib: null,
    memtune: { hardLimitKib: null, softLimitKib: null, swapHardLimitKib: null, minGuaranteeKib: null },
    vcpuScheds: [],
    functions: [],
    usb: [],
    mediatedDevices: [],
    vcpus: 2,
    vcpuPins: new Map(),
    iothreadPins: new Map(),
    emulatorPin: null,
    vcpuSet: null,
    hugepages: null,
    memoryNodes: null,
    memoryMode: null,
    cellNodes: new Map(),
    cells: [],
    metadata: new Map(),
    ...more,
  };
}

function pins(...lists: string[]): Map<number, CpuSet> {
  return new Map(lists.map((list, at) => [at, listOf(list)]));
}

function plan(
  cpus: string | null,
  more: {
    profile?: Partial<Profile['cpu']>;
    picture?: Partial<CpuPicture>;
    domain?: Domain;
    held?: readonly HeldStep[];
  } = {},
): PlanPart {
  const profile = cpuProfile(cpus, { governor: null, ...more.profile });
  return planCpus({
    profile,
    domain: more.domain ?? null,
    picture: picture(more.picture),
    held: more.held ?? [],
  });
}

/** A plan's steps, a line each. */
function lines({ steps }: PlanPart): string[] {
  return steps.map(({ kind, target, from, to }) => `${kind} ${target}: ${from} -> ${to}`);
}

function holds(guest: string, guestCpus: string): HeldStep {
  const step = { kind: 'irqs' as const, guestCpus, target: 'interrupts', from: null, to: null };
  return { guest, index: 0, at: 0, step, was: { defaultMask: 'ff', affinities: {}, untouched: [] } };
}

test('planCpus() keeps slices, interrupts and workqueues off the guest’s CPUs, in this order', () => {
  assert.deepEqual(plan('4-7'), {
    steps: [
      ...UNITS.map((unit) => ({
        kind: 'slice',
        unit,
        guestCpus: '4-7',
        target: unit,
        from: '0-7',
        to: '0-3',
      })),
      { kind: 'irqs', guestCpus: '4-7', target: 'interrupts', from: '0-7', to: '0-3' },
      { kind: 'workqueues', guestCpus: '4-7', target: 'unbound workqueues', from: '0-7', to: '0-3' },
    ],
    refusals: [],
    notes: [],
  });
});

test('planCpus() holds pins around what makes an older kernel forget them', () => {
  const kinds = plan('4-7', { picture: { forgetsAffinities: true } }).steps.map((step) =>
    step.kind === 'affinities' ? `${step.role} ${step.scope}` : step.kind,
  );
  assert.deepEqual(kinds, [
    'remember cgroups',
    'slice',
    'slice',
    'slice',
    'mend cgroups',
    'irqs',
    'workqueues',
  ]);
});

test('planCpus() does only what the profile wants', () => {
  assert.deepEqual(
    lines(plan('4-7', { profile: { isolate: false, workqueues: false }, picture: { control: null } })),
    ['irqs interrupts: 0-7 -> 0-3'],
  );
});

test('planCpus() takes the CPUs from a domain only where every vCPU is pinned and some CPU is left', () => {
  const cases: [string, Partial<Domain>, string | null][] = [
    ['all vCPUs pinned', { vcpuPins: pins('4', '5') }, '4-5'],
    [
      'iothreads of their own',
      { vcpuPins: pins('4', '5'), emulatorPin: [0], iothreadPins: new Map([[1, [6]]]) },
      '4-6',
    ],
    [
      'iothreads with the emulator',
      { vcpuPins: pins('4', '5'), emulatorPin: [0, 1], iothreadPins: new Map([[1, [1]]]) },
      '4-5',
    ],
    [
      'iothreads beside an emulator that may be anywhere',
      { vcpuPins: pins('4', '5'), iothreadPins: new Map([[1, [6]]]) },
      '4-5',
    ],
    ['the rest by cpuset of vcpu', { vcpuPins: pins('4'), vcpuSet: [6, 7] }, '4,6-7'],
    ['one vCPU free', { vcpuPins: pins('4') }, null],
    ['pinned to everything', { vcpuPins: pins('0-3', '4-7') }, null],
    ['nothing said', {}, null],
  ];
  for (const [name, more, cpus] of cases) {
    const irqs = plan(null, { domain: domain(more) }).steps.find(({ kind }) => kind === 'irqs');
    assert.equal(irqs?.kind === 'irqs' ? irqs.guestCpus : null, cpus, name);
  }
});

test('planCpus() prefers the profile’s CPUs to the domain’s', () => {
  const irqs = plan('6-7', { domain: domain({ vcpuPins: pins('4', '5') }) }).steps.at(-1);
  assert.equal(irqs?.kind === 'workqueues' && irqs.guestCpus, '6-7');
});

test('planCpus() says nothing of a guest without CPUs, but what its profile or pins seem to mean', () => {
  assert.deepEqual(plan(null), { steps: [], refusals: [], notes: [] });
  assert.match(plan(null, { profile: { governor: 'performance' } }).notes.join(), /do nothing/);
  assert.match(plan(null, { domain: domain({ vcpuPins: pins('4') }) }).notes.join(), /Only 1 of 2 vCPUs/);
  assert.match(
    plan(null, { domain: domain({ vcpuPins: pins('0-3', '4-7') }) }).notes.join(),
    /pinned to all CPUs/,
  );
});

test('planCpus() refuses CPUs that are missing, offline or another guest’s, all at once', () => {
  const { steps, refusals } = plan('4-9', {
    picture: { online: listOf('0-6') },
    held: [holds('linux', '5-6')],
  });
  assert.deepEqual(steps, []);
  assert.deepEqual(
    refusals.map(({ id, summary }) => `${id}: ${summary}`),
    [
      'cpu-missing: Cannot give CPUs 8-9 to the guest: this host has only 0-7',
      'cpu-offline: Cannot give CPU 7 to the guest: it is offline',
      'cpu-held: Cannot give CPUs 5-6 to the guest: they belong to linux',
    ],
  );
});

test('planCpus() leaves the host a CPU that its scheduler uses', () => {
  const ids = (part: PlanPart) => part.refusals.map(({ id }) => id);
  assert.deepEqual(ids(plan('0-7')), ['cpu-none-left']);
  assert.deepEqual(ids(plan('4-7', { held: [holds('linux', '0-3')] })), ['cpu-none-left']);
  assert.deepEqual(ids(plan('0-3', { picture: { isolated: listOf('4-7') } })), ['cpu-none-left']);
  assert.deepEqual(ids(plan('1-7')), []);
  const nothingTaken = { isolate: false, irqs: false, workqueues: false };
  assert.deepEqual(ids(plan('0-7', { profile: nothingTaken, picture: { control: null } })), []);
});

test('planCpus() refuses to take all that an admin has left to a slice', () => {
  const units = [{ unit: 'user.slice', effective: listOf('4-5'), stronger: null }];
  const { refusals } = plan('4-7', { picture: { control: { by: 'systemd', units } } });
  assert.deepEqual(
    refusals.map(({ id, summary }) => `${id}: ${summary}`),
    ['cpu-slice-empty: Cannot keep user.slice off CPUs 4-7: it has only 4-5, must keep one'],
  );
});

test('planCpus() leaves a slice alone that an admin keeps off the CPUs already, and tells of files that win', () => {
  const units = [
    { unit: 'system.slice', effective: listOf('0-3'), stronger: null },
    { unit: 'user.slice', effective: ALL, stronger: '/etc/systemd/system/user.slice.d/90.conf' },
  ];
  const part = plan('4-7', {
    profile: { irqs: false, workqueues: false },
    picture: { control: { by: 'systemd', units } },
  });
  assert.deepEqual(lines(part), ['slice user.slice: 0-7 -> 0-3']);
  assert.match(part.notes.join(), /90\.conf wins/);
});

test('planCpus() uses isolcpus instead of slices, and tells where it does not fit', () => {
  const slices = (part: PlanPart) =>
    part.steps.filter(({ kind }) => kind === 'slice').map((step) => 'guestCpus' in step && step.guestCpus);
  const whole = plan('4-7', { picture: { isolated: listOf('4-7'), nohzFull: listOf('4-7') } });
  assert.deepEqual([slices(whole), whole.notes], [[], []]);
  const part = plan('4-7', { picture: { isolated: listOf('6-7') } });
  assert.deepEqual(slices(part), ['4-5', '4-5', '4-5']);
  assert.match(part.notes.join(), /isolcpus .* is 6-7.*4-5 are not in it/);
  const others = plan('4-5', { picture: { isolated: listOf('2-3') }, held: [holds('linux', '2-3')] });
  assert.deepEqual(others.notes, []);
});

test('planCpus() notes why the host cannot be kept off, and goes on', () => {
  const part = plan('4-7', {
    picture: { control: { by: null, why: 'cgroups are version 1 (hybrid)', remedy: 'Boot so' } },
  });
  assert.deepEqual(
    lines(part).map((line) => line.split(' ')[0]),
    ['irqs', 'workqueues'],
  );
  assert.deepEqual(part.notes, [
    'The host is not kept off CPUs 4-7: cgroups are version 1 (hybrid). Boot so',
  ]);
});

test('planCpus() makes a partition without systemd, unless a thread or another guest would suffer', () => {
  const control = { by: 'partition', cgroup: 'machine', strangers: [] } as const;
  const kinds = (part: PlanPart) =>
    part.steps.map(({ kind }) => kind).filter((kind) => kind !== 'irqs' && kind !== 'workqueues');
  assert.deepEqual(kinds(plan('4-7', { picture: { control } })), ['affinities', 'partition', 'affinities']);
  const inside = domain({ vcpuPins: pins('4', '5'), emulatorPin: listOf('3-4') });
  assert.deepEqual(kinds(plan('4-5', { picture: { control }, domain: inside })), [
    'affinities',
    'partition',
    'affinities',
  ]);

  const outside = plan('4-5', {
    picture: { control },
    domain: domain({ vcpuPins: pins('4', '5'), emulatorPin: [0, 1] }),
  });
  assert.deepEqual(kinds(outside), []);
  assert.match(outside.notes.join(), /the emulator on 0-1/);
  const strangers = plan('4-5', {
    picture: { control: { ...control, strangers: ['machine/qemu-3-bsd.libvirt-qemu'] } },
  });
  assert.deepEqual(kinds(strangers), []);
  assert.match(strangers.notes.join(), /qemu-3-bsd/);
});

test('planCpus() tells what services of the host will do to its values, where it sets any of them', () => {
  const rivals = ['irqbalance', 'tuned', 'tlp'] as const;
  const { notes } = plan('4-7', { picture: { rivals } });
  assert.equal(notes.length, 2);
  assert.match(notes[0]!, /irqbalance .*IRQBALANCE_BANNED_CPULIST=4-7/);
  assert.match(notes[1]!, /^tuned /);
});
