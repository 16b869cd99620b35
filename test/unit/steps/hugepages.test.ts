import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hugepagesKind } from '../../../lib/steps/hugepages.ts';
import type { StepContext } from '../../../lib/steps/step-kind.ts';
import { HostError } from '../../../lib/words/errors.ts';
import type { HeldStep, StepOf } from '../../../lib/words/step.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import {
  addMemory,
  endQemu,
  type FakeNode,
  freePages,
  poolOf,
  reservePages,
  setPool,
  startQemu,
} from '../../fake/memory-model.ts';

const MIB2 = 2048;
const GIB = 1_048_576;

function machine(about: Partial<FakeNode> = {}, options?: { numa?: boolean }): FakeHost {
  const host = new FakeHost();
  const node = {
    id: 0,
    cpus: '0-3',
    totalKib: 4 * GIB,
    freeKib: 3 * GIB,
    pools: { [MIB2]: { pages: 0 }, [GIB]: { pages: 0 } },
  };
  addMemory(host, [{ ...node, ...about }], options);
  return host;
}

function step(about: Partial<StepOf<'hugepages'>> = {}): StepOf<'hugepages'> {
  return {
    kind: 'hugepages',
    target: 'pages',
    from: null,
    to: null,
    sizeKib: MIB2,
    node: 0,
    pages: 100,
    waitMs: 2000,
    compact: true,
    dropCaches: false,
    ...about,
  };
}

function context(host: FakeHost, others: readonly HeldStep[] = []): StepContext & { notes: string[] } {
  const notes: string[] = [];
  return { host, guest: 'a', others, notes, note: (line) => notes.push(line) };
}

function heldBy(guest: string, pages: number, about: Partial<StepOf<'hugepages'>> = {}): HeldStep {
  return {
    guest,
    index: 0,
    at: 0,
    step: step({ pages, ...about }),
    was: { pool: 0, surplus: 0 },
    got: { added: pages },
  };
}

/** A guest that was killed before its pool grew. */
function cutShort(guest: string, pages: number, pool: number): HeldStep {
  return { guest, index: 0, at: 0, step: step({ pages }), was: { pool, surplus: 0 }, got: { added: 0 } };
}

async function applied(host: FakeHost, wanted = step(), others: readonly HeldStep[] = []) {
  const about = context(host, others);
  const was = hugepagesKind.observe(wanted, about);
  return { was, got: await hugepagesKind.apply(wanted, was, about) };
}

async function failure(promise: unknown): Promise<HostError> {
  try {
    await promise;
  } catch (error) {
    assert(error instanceof HostError);
    return error;
  }
  throw new assert.AssertionError({ message: 'nothing was thrown' });
}

test('hugepagesKind.apply() adds pages to an empty pool and undo() takes them out again', async () => {
  const host = machine();
  const { was, got } = await applied(host);
  assert.deepEqual({ was, got }, { was: { pool: 0, surplus: 0 }, got: { added: 100 } });
  assert.deepEqual(poolOf(host, 0, MIB2), { pages: 100, surplus: 0, used: 0, free: 100 });
  await hugepagesKind.undo(step(), was, got, context(host));
  assert.deepEqual(poolOf(host, 0, MIB2), { pages: 0, surplus: 0, used: 0, free: 0 });
});

test('hugepagesKind works on the whole machine where the kernel knows no nodes', async () => {
  const host = machine({}, { numa: false });
  const { was, got } = await applied(host);
  assert.equal(poolOf(host, 0, MIB2).pages, 100);
  await hugepagesKind.undo(step(), was, got, context(host));
  assert.equal(poolOf(host, 0, MIB2).pages, 0);
});

const shares: {
  name: string;
  pool: FakeNode['pools'][number];
  reserved?: number;
  others?: HeldStep[];
  added: number;
}[] = [
  { name: 'nothing where enough pages are free', pool: { pages: 150, used: 50 }, added: 0 },
  { name: 'only what the free pages do not cover', pool: { pages: 90, used: 50 }, added: 60 },
  { name: 'for pages that are reserved', pool: { pages: 100 }, reserved: 30, added: 30 },
  {
    name: 'for pages promised to a guest that has no QEMU yet',
    pool: { pages: 120 },
    others: [heldBy('b', 80)],
    added: 60,
  },
  {
    name: 'nothing for a guest whose prepare was cut short',
    pool: { pages: 20 },
    others: [cutShort('b', 80, 20)],
    added: 100,
  },
  {
    name: 'nothing for promises on another node',
    pool: { pages: 100 },
    others: [heldBy('b', 80, { node: 1 })],
    added: 0,
  },
  {
    name: 'nothing for promises of another size',
    pool: { pages: 100 },
    others: [heldBy('b', 8, { sizeKib: GIB })],
    added: 0,
  },
  { name: 'what surplus pages swallow as well', pool: { pages: 6, surplus: 4, used: 10 }, added: 104 },
];
for (const { name, pool, reserved, others, added } of shares) {
  test(`hugepagesKind.apply() adds ${name}`, async () => {
    const host = machine({ pools: { [MIB2]: pool } });
    if (reserved !== undefined) reservePages(host, MIB2, reserved);
    const before = poolOf(host, 0, MIB2);
    const { was, got } = await applied(host, step(), others);
    assert.deepEqual(got, { added });
    assert.equal(poolOf(host, 0, MIB2).pages, before.pages + added);
    await hugepagesKind.undo(step(), was, got, context(host, others));
    assert.deepEqual(poolOf(host, 0, MIB2), before);
  });
}

test('hugepagesKind.apply() adds nothing for what other guests lack', async () => {
  const host = machine({ pools: { [MIB2]: { pages: 20 } } });
  assert.deepEqual((await applied(host, step(), [heldBy('b', 80)])).got, { added: 100 });
});

test('hugepagesKind.apply() counts what a running guest has mapped as used, not as promised', async () => {
  const host = machine();
  const first = await applied(host, step({ pages: 80 }));
  startQemu(host, 'b', [{ node: 0, sizeKib: MIB2, pages: 80 }]);
  const second = await applied(host, step(), [heldBy('b', 80)]);
  assert.deepEqual([first.got, second.got], [{ added: 80 }, { added: 100 }]);
});

test('hugepagesKind.apply() writes nothing but what it needs where pages are there at once', async () => {
  const host = machine();
  const before = host.calls.length;
  await applied(host);
  const changes = host.calls.slice(before).filter((call) => /^(write|run|spawn|sleep)/.test(call));
  assert.deepEqual(changes, [
    'write /sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages = "100\\n"',
  ]);
});

test('hugepagesKind.apply() compacts the node where memory is scattered', async () => {
  const host = machine({ scatteredKib: 3 * GIB });
  assert.deepEqual((await applied(host)).got, { added: 100 });
  assert(host.calls.includes('write /sys/devices/system/node/node0/compact = "1\\n"'));
});

test('hugepagesKind.apply() compacts the whole machine where there are no nodes', async () => {
  const host = machine({ scatteredKib: 3 * GIB }, { numa: false });
  assert.deepEqual((await applied(host)).got, { added: 100 });
  assert(host.calls.includes('write /proc/sys/vm/compact_memory = "1\\n"'));
});

test('hugepagesKind.apply() drops caches only where it may', async () => {
  const about = { freeKib: 10 * MIB2, cachesKib: 200 * MIB2 };
  assert.deepEqual((await applied(machine(about), step({ dropCaches: true }))).got, { added: 100 });
  const host = machine(about);
  await failure(applied(host));
  assert.equal(
    host.calls.some((call) => call.includes('drop_caches')),
    false,
  );
});

test('hugepagesKind.apply() waits for memory that comes free in time', async () => {
  const host = machine({ freeKib: 10 * MIB2, pools: { [MIB2]: { pages: 0 }, [GIB]: { pages: 1 } } });
  afterSleeping(host, 1000, () => setPool(host, 0, GIB, 0));
  assert.deepEqual((await applied(host)).got, { added: 100 });
});

/** Lets something happen on the machine once so much time has been slept. */
function afterSleeping(host: FakeHost, ms: number, act: () => void): void {
  const at = host.clock + ms;
  const sleep = host.sleep.bind(host);
  let done = false;
  host.sleep = async (pauseMs) => {
    await sleep(pauseMs);
    if (done || host.clock < at) return;
    done = true;
    act();
  };
}

test('hugepagesKind.apply() says what it got, and gives that back', async () => {
  const host = machine({ freeKib: 40 * MIB2, pools: { [MIB2]: { pages: 30, used: 10 } } });
  const error = await failure(applied(host));
  assert.equal(
    error.message,
    'Cannot have the guest’s memory in huge pages: node 0: 60 of 100 pages of 2 MiB after 2 s',
  );
  assert.match(error.hint ?? '', /hugepagesz=2M hugepages=110/);
  assert.deepEqual(poolOf(host, 0, MIB2), { pages: 30, surplus: 0, used: 10, free: 20 });
});

test('hugepagesKind.apply() names the boot parameter for pages of 1 GiB', async () => {
  const host = machine({ giganticPages: 1 });
  const error = await failure(applied(host, step({ sizeKib: GIB, pages: 2 })));
  assert.match(error.message, /node 0: 1 of 2 pages of 1 GiB/);
  assert.match(error.hint ?? '', /hugepagesz=1G hugepages=2/);
  assert.equal(poolOf(host, 0, GIB).pages, 0);
});

test('hugepagesKind.apply() takes a kernel that refuses to make pages for one that made none', async () => {
  const host = machine({ pools: { [MIB2]: { pages: 60 } } });
  const write = host.write.bind(host);
  host.write = (path, text) => {
    if (path.endsWith('nr_hugepages') && Number(text) > 60) throw new HostError('no', { code: 'EINVAL' });
    write(path, text);
  };
  assert.match((await failure(applied(host))).message, /60 of 100 pages/);
  assert.equal(poolOf(host, 0, MIB2).pages, 60);
});

test('hugepagesKind.undo() takes out exactly what was added when the admin has changed the pool since', async () => {
  const host = machine({ pools: { [MIB2]: { pages: 10 } } });
  const { was, got } = await applied(host);
  setPool(host, 0, MIB2, 300);
  await hugepagesKind.undo(step(), was, got, context(host));
  assert.equal(poolOf(host, 0, MIB2).pages, 210);
});

test('hugepagesKind.undo() says so where somebody else has shrunk the pool below what was added', async () => {
  const host = machine();
  const { was, got } = await applied(host);
  setPool(host, 0, MIB2, 30);
  const about = context(host);
  await hugepagesKind.undo(step(), was, got, about);
  assert.equal(poolOf(host, 0, MIB2).pages, 0);
  assert.deepEqual(about.notes, [
    '70 pages of 2 MiB on node 0 of ours are gone from the pool already: somebody else has shrunk it',
  ]);
});

test('hugepagesKind.undo() waits for a QEMU that is ending', async () => {
  const host = machine();
  const { was, got } = await applied(host);
  const qemu = startQemu(host, 'a', [{ node: 0, sizeKib: MIB2, pages: 100 }]);
  endQemu(host, qemu, true);
  afterSleeping(host, 3000, () => freePages(host, qemu));
  await hugepagesKind.undo(step(), was, got, context(host));
  assert.deepEqual(poolOf(host, 0, MIB2), { pages: 0, surplus: 0, used: 0, free: 0 });
});

test('hugepagesKind.undo() never goes below what is in use, and settleUndo() keeps the rest', async () => {
  const host = machine();
  const { was, got } = await applied(host);
  startQemu(host, 'x', [{ node: 0, sizeKib: MIB2, pages: 40 }]);
  const mark = hugepagesKind.observe(step(), context(host));
  const error = await failure(hugepagesKind.undo(step(), was, got, context(host)));
  assert.equal(error.message, 'Cannot give back 40 pages of 2 MiB on node 0: they are in use');
  assert.deepEqual(poolOf(host, 0, MIB2), { pages: 40, surplus: 0, used: 40, free: 0 });
  assert.deepEqual(hugepagesKind.settleUndo!(step(), was, got, mark, context(host)), {
    added: 40,
    leaving: true,
  });
});

test('hugepagesKind.undo() leaves free what another prepared guest was promised', async () => {
  const host = machine();
  const { was, got } = await applied(host);
  const others = [heldBy('b', 70)];
  const error = await failure(hugepagesKind.undo(step(), was, got, context(host, others)));
  assert.equal(
    error.message,
    'Cannot give back 70 pages of 2 MiB on node 0: they are in use or promised to b',
  );
  assert.equal(poolOf(host, 0, MIB2).free, 70);
});

test('hugepagesKind.undo() does nothing where apply never began', async () => {
  const host = machine({ pools: { [MIB2]: { pages: 10 } } });
  const was = hugepagesKind.observe(step(), context(host));
  const got = hugepagesKind.settle!(step(), was, context(host));
  assert.deepEqual(got, { added: 0 });
  for (const outcome of [got, undefined]) await hugepagesKind.undo(step(), was, outcome, context(host));
  assert.equal(poolOf(host, 0, MIB2).pages, 10);
});

test('hugepagesKind.settle() never takes more for ours than could have been asked for', () => {
  const host = machine({ pools: { [MIB2]: { pages: 500 } } });
  assert.deepEqual(hugepagesKind.settle!(step(), { pool: 10, surplus: 5 }, context(host)), { added: 105 });
  assert.deepEqual(hugepagesKind.settle!(step(), { pool: 600, surplus: 5 }, context(host)), { added: 0 });
});

test('hugepagesKind.drift() tells a pool that is too small for its guests', async () => {
  const host = machine();
  const { was, got } = await applied(host);
  assert.equal(hugepagesKind.drift!(step(), was, got, context(host)), null);
  assert.equal(
    hugepagesKind.drift!(step(), was, got, context(host, [heldBy('b', 20)])),
    'node 0 has 100 pages of 2 MiB, its guests need 120',
  );
});

test('hugepagesKind.apply() refuses a pool that is not there, undo() has nothing to do where it is gone', async () => {
  const host = machine();
  const gone = step({ node: 3 });
  assert.deepEqual(hugepagesKind.observe(gone, context(host)), { pool: 0, surplus: 0 });
  const error = await failure(applied(host, gone));
  assert.equal(error.message, 'Cannot find pages of 2 MiB on node 3: the kernel shows no such pool');
  const about = context(host);
  await hugepagesKind.undo(gone, { pool: 0, surplus: 0 }, { added: 5 }, about);
  assert.equal(about.notes.length, 1);
});
