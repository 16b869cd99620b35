import assert from 'node:assert/strict';
import test from 'node:test';
import { judgeRealtime } from '../../../lib/run/realtime.ts';

const USUAL = { cpus: [2, 3], online: [0, 1, 2, 3], priority: 1, runtimeUs: 950_000, periodUs: 1_000_000 };
const ids = (input: Partial<typeof USUAL>) =>
  judgeRealtime({ ...USUAL, ...input }).refusals.map(({ id }) => id);

test('judgeRealtime() says nothing where nothing runs in real time', () => {
  assert.deepEqual(judgeRealtime({ ...USUAL, cpus: [] }), { refusals: [], notes: [] });
});

test('judgeRealtime() refuses all CPUs of the host, more than all, and a kernel that gives no time', () => {
  assert.deepEqual(ids({ cpus: [0, 1, 2, 3] }), ['realtime-all-cpus']);
  assert.deepEqual(ids({ cpus: [0, 1, 2, 3, 4] }), ['realtime-all-cpus']);
  assert.deepEqual(ids({ cpus: [0], online: [0] }), ['realtime-all-cpus']);
  assert.deepEqual(ids({ runtimeUs: 0 }), ['realtime-no-time']);
  assert.deepEqual(ids({}), []);
});

test('judgeRealtime() tells the hazard', () => {
  const notes = (input: Partial<typeof USUAL>) => judgeRealtime({ ...USUAL, ...input }).notes;
  assert.match(notes({})[0]!, /off CPUs 2-3 but for 5 % of each 1 s/);
  assert.match(notes({ runtimeUs: -1 })[0]!, /takes CPUs 2-3 for good/);
  assert.match(notes({ priority: 50 })[1]!, /before the kernel's interrupt threads/);
  assert.equal(notes({}).length, 1);
});
