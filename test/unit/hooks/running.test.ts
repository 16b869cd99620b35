import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lookAtRunning, type RunningStage } from '../../../hooks/running.ts';
import { parseWatchCall } from '../../../hooks/watch-call.ts';
import { readState } from '../../../lib/apply/journal.ts';
import type { Report } from '../../../lib/apply/report.ts';
import type { WatchOrder } from '../../../lib/apply/watch-order.ts';
import type { CpuSet } from '../../../lib/words/cpu-list.ts';
import { parsePciAddress } from '../../../lib/words/pci-address.ts';
import type { FakeHost } from '../../fake/fake-host.ts';
import {
  driverStep,
  dump,
  hostSteps,
  planOf,
  prepare,
  STATE,
  wholeMachine,
} from '../../fake/whole-machine.ts';

const UUID = '4dea22b3-1d52-d8f3-2516-782e98ab3fa0';
const NIC = '0000:01:00.0';
const PLAN = { ...planOf('win', [...hostSteps('win'), driverStep(NIC, 'vfio-pci')]), uuid: UUID };
const PROFILE = '/etc/passqemu/win.ini';
const xml = (inside = '', name = 'win') =>
  `<domain><name>${name}</name><uuid>${UUID}</uuid><vcpu>2</vcpu><cputune><vcpupin vcpu='0' cpuset='4'/><vcpupin vcpu='1' cpuset='5'/>${inside}</cputune></domain>`;

async function machine(profile = ''): Promise<FakeHost> {
  const host = wholeMachine((one) => one.put('/sys/devices/system/cpu/online', '0-7\n'));
  host.put(PROFILE, profile);
  await prepare(host, PLAN);
  return host.restart();
}

/** What was told, and what there is to watch. */
async function look(host: FakeHost, stage: RunningStage, text = xml()) {
  const notes: string[] = [];
  const report: Report = {
    step: (what, words) => notes.push(`${what}: ${words}`),
    note: (line) => notes.push(line),
  };
  const folders = { configDir: '/etc/passqemu', stateDir: STATE };
  return { notes, order: await lookAtRunning(host, stage, 'win', () => text, folders, report) };
}
const order = (interruptCpus: CpuSet | null, keepEmulatorOff: CpuSet | null): WatchOrder => ({
  guest: 'win',
  uuid: UUID,
  interruptCpus,
  keepEmulatorOff,
  addresses: [parsePciAddress(NIC)!],
});

for (const [what, profile, text, wanted] of [
  ['the vCPUs’ CPUs and the functions that the guest holds', '', xml(), order([4, 5], [4, 5])],
  ['the emulator left where the domain pins it', '', xml("<emulatorpin cpuset='0'/>"), order([4, 5], null)],
  ['interrupts left alone where the profile says so', '[cpu]\nirqs = no\n', xml(), order(null, [4, 5])],
  ['the CPUs of the profile', '[cpu]\nguest = 2-5\n', xml(), order([4, 5], [2, 3, 4, 5])],
  [
    'nothing where no CPUs are the guest’s own',
    '',
    `<domain><name>win</name><uuid>${UUID}</uuid><vcpu>2</vcpu></domain>`,
    null,
  ],
  ['nothing for the XML of another guest', '', xml('', 'other'), null],
  ['nothing for cut XML, and no failure', '', '<domain><na', null],
  ['nothing for a broken profile, and no failure', '[cpu\n', xml(), null],
] as const) {
  test(`lookAtRunning() says what to watch: ${what}`, async () => {
    const host = await machine(profile);
    assert.deepEqual((await look(host, 'started', text)).order, wanted);
    assert.deepEqual((await look(host, 'reconnect', text)).order, wanted);
  });
}

test('lookAtRunning() finds nothing to watch of a guest that holds nothing', async () => {
  const host = await machine();
  host.drop(readState(host, STATE).journals[0]!.path);
  assert.equal((await look(host, 'started')).order, null);
});

for (const [words, call] of [
  [['win', 'watch', 'started'], { guest: 'win', stage: 'started' }],
  [['--x', 'watch', 'reconnect'], { guest: '--x', stage: 'reconnect' }],
  [['win', 'watch'], null],
  [['win', 'watch', 'release'], null],
  [['', 'watch', 'started'], null],
  [['watch', 'started', 'begin', '-'], null],
] as const) {
  test(`parseWatchCall() of ${JSON.stringify(words)}`, () => assert.deepEqual(parseWatchCall(words), call));
}

test('reconnect changes nothing and tells what others have changed', async () => {
  const host = await machine();
  const before = dump(host);
  assert.deepEqual((await look(host, 'reconnect')).notes, ['All 6 steps are as they were made']);
  assert.deepEqual(dump(host), before);
  host.put('/proc/sys/vm/stat_interval', '7\n');
  const { notes } = await look(host, 'reconnect');
  assert.match(notes[0]!, /^Changed by others since the start: .*7/);
  assert.deepEqual(
    notes.filter((line) => line.startsWith('All')),
    [],
  );
  assert.deepEqual(
    host.calls.filter((one) => /^(write|replaceFile|remove)/.test(one)),
    [],
  );
});

test('reconnect tells nothing of what a release gives back meanwhile', async () => {
  const host = await machine();
  host.put('/proc/sys/vm/stat_interval', '7\n');
  const lock = host.lock.bind(host);
  host.lock = async (...words) => {
    host.drop(`${STATE}/win.jsonl`);
    return lock(...words);
  };
  assert.deepEqual((await look(host, 'reconnect')).notes, []);
});
