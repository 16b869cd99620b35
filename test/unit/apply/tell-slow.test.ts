import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepareGuest } from '../../../lib/apply/prepare.ts';
import { releaseGuest } from '../../../lib/apply/release.ts';
import type { Report } from '../../../lib/apply/report.ts';
import type { Step } from '../../../lib/words/step.ts';
import { addUnits } from '../../fake/display-model.ts';
import { planOf, STATE, wholeMachine } from '../../fake/whole-machine.ts';

const CGROUP = '/system.slice/gdm.service';
const MANAGER: Step = {
  target: 'x',
  from: null,
  to: null,
  kind: 'unit',
  unit: 'gdm.service',
  user: null,
  cgroup: CGROUP,
  restart: true,
  timeoutMs: 30_000,
};

/** What is told of a display manager whose stop and start take so long each. */
async function toldOf(tookMs: number): Promise<string[]> {
  const host = wholeMachine((machine) => addUnits(machine, { name: 'gdm.service', cgroup: CGROUP }));
  const run = host.run.bind(host);
  host.run = async (argv, options) => {
    if (argv.includes('gdm.service')) host.clock += tookMs;
    return run(argv, options);
  };
  const notes: string[] = [];
  const report: Report = { step: () => {}, note: (line) => notes.push(line) };
  const about = { stateDir: STATE, guest: 'one', lockWaitMs: 10 };
  const request = { ...about, uuid: null, owner: { kind: 'libvirt' }, version: '0', inputs: 'x' } as const;
  const plan = () => planOf('one', [MANAGER]);
  await prepareGuest(host, { ...request, plan, interrupted: () => null }, report);
  await releaseGuest(host, { ...about, uuid: async () => null }, report);
  return notes;
}

test('a step that takes long there or back says which it is, one that does not says nothing', async () => {
  assert.deepEqual(await toldOf(100), []);
  assert.deepEqual(await toldOf(9_000), [
    'Still at it: stop gdm.service (a call may take 30 s)',
    'Still at it: start gdm.service again (a call may take 30 s)',
  ]);
});
