import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runHookOperation } from '../../../hooks/operations.ts';
import type { Host } from '../../../lib/host/host.ts';
import { parseHookCall } from '../../../lib/inputs/hook-call.ts';
import { HostError } from '../../../lib/words/errors.ts';
import {
  driverStep,
  dump,
  hostSteps,
  planOf,
  prepare,
  SILENT,
  STATE,
  wholeMachine,
} from '../../fake/whole-machine.ts';

const UUID = '4dea22b3-1d52-d8f3-2516-782e98ab3fa0';
const PLAN = { ...planOf('win', [...hostSteps('win'), driverStep('0000:01:00.0', 'vfio-pci')]), uuid: UUID };

async function operate(host: Host, words: readonly string[], readXml: () => string): Promise<void> {
  const folders = { configDir: '/etc/passqemu', stateDir: STATE };
  await runHookOperation(host, parseHookCall(words), readXml, folders, SILENT, () => null);
}

const XMLS: readonly [string, () => string][] = [
  ['none', () => ''],
  ['cut XML', () => '<domain><name>win</na'],
  ['a DOCTYPE', () => '<!DOCTYPE domain [<!ENTITY a "b">]><domain><name>win</name></domain>'],
  ['the XML of another guest', () => `<domain><name>other</name><uuid>${UUID}</uuid></domain>`],
  [
    'more than may be read',
    () => {
      throw new HostError('Cannot read standard input: it is larger than 8388608 bytes', { code: 'EFBIG' });
    },
  ],
];
for (const [what, readXml] of XMLS) {
  test(`runHookOperation() releases by the name where the XML is ${what}`, async () => {
    const host = wholeMachine();
    const before = dump(host);
    await prepare(host, PLAN);
    await operate(host.restart(), ['win', 'release', 'end', '-'], readXml);
    assert.deepEqual(dump(host), before);
  });
}

test("runHookOperation() releases nobody else's things by a UUID in the XML of another guest", async () => {
  const host = wholeMachine();
  await prepare(host, PLAN);
  const held = dump(host);

  const xml = `<domain><name>win</name><uuid>${UUID}</uuid></domain>`;
  await operate(host.restart(), ['another', 'release', 'end', '-'], () => xml);
  assert.deepEqual(dump(host), held);
});

for (const name of ['a\nb', 'x'.repeat(240)]) {
  test(`runHookOperation() refuses prepare of a guest that can have no journal: ${JSON.stringify(name.slice(0, 4))}`, async () => {
    const host = wholeMachine();
    const before = dump(host);
    const call = operate(host, [name, 'prepare', 'begin', '-'], () => '');
    await assert.rejects(call, { name: 'UsageError', hint: 'Rename the guest' });
    await operate(host, [name, 'release', 'end', '-'], () => '');
    assert.deepEqual(dump(host), before);
  });
}
