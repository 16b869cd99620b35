import assert from 'node:assert/strict';
import { test } from 'node:test';
import { processKind } from '../../../lib/steps/process.ts';
import { waitUntil } from '../../../lib/steps/wait-until.ts';
import type { StepOf } from '../../../lib/words/step.ts';
import { FakeHost } from '../../fake/fake-host.ts';

/** How often it is told of a wait for something that comes true after so long. */
async function told(afterMs: number, patienceMs: number) {
  const host = new FakeHost();
  const begun = host.now();
  let times = 0;
  const came = await waitUntil(
    host,
    patienceMs,
    () => host.now() - begun >= afterMs,
    () => times++,
  );
  return { came, times, tookMs: host.now() - begun };
}

test('waitUntil() tells of a wait once, and only of one that takes longer than a moment', async () => {
  assert.deepEqual(await told(0, 10_000), { came: true, times: 0, tookMs: 0 });
  assert.equal((await told(500, 10_000)).times, 0);
  const long = await told(5_000, 10_000);
  assert.deepEqual([long.came, long.times], [true, 1]);
});

test('waitUntil() gives up when its patience is over', async () => {
  const { came, times, tookMs } = await told(60_000, 10_000);
  assert.deepEqual([came, times], [false, 1]);
  assert.ok(tookMs >= 10_000 && tookMs <= 10_100, `${tookMs} ms`);
});

test('waitUntil() has its patience by the time that passes, also where the clock is set', async () => {
  for (const jumpMs of [3_600_000, -3_600_000]) {
    const host = new FakeHost();
    const sleep = host.sleep.bind(host);
    let sleptMs = 0;
    host.sleep = async (ms) => {
      if (sleptMs === 0) host.clock += jumpMs;
      sleptMs += ms;
      await sleep(ms);
    };
    assert.equal(await waitUntil(host, 5_000, () => false), false);
    assert.ok(sleptMs >= 5_000 && sleptMs <= 5_200, `${sleptMs} ms`);
  }
});

test('a process that does not end is waited for, told, and killed', async () => {
  const host = new FakeHost();
  const pid = host.spawnProcess(['/usr/bin/nvtop']);
  const signals: string[] = [];
  const notes: string[] = [];
  host.signal = (_who, signal) => signals.push(signal) > 0;
  const step = { kind: 'process', pid, startTicks: pid * 10, comm: 'nvtop', timeoutMs: 30_000 };
  const context = { host, guest: 'one', others: [], note: (line: string) => void notes.push(line) };
  await assert.rejects(
    async () => processKind.apply(step as StepOf<'process'>, null, context),
    /it is killed, but does not end/,
  );
  assert.deepEqual(signals, ['SIGTERM', 'SIGKILL']);
  assert.deepEqual(notes, [
    `Waiting 30 s at most for nvtop (process ${pid}) to end`,
    `nvtop (process ${pid}) has not ended within 30 s: it is killed`,
  ]);
});
