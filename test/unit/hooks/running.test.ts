import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runHookOperation } from '../../../hooks/operations.ts';
import { readState } from '../../../lib/apply/journal.ts';
import type { Report } from '../../../lib/apply/report.ts';
import { parseHookCall } from '../../../lib/inputs/hook-call.ts';
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

/** What the operation told, and the watchers that it started. */
async function operate(host: FakeHost, operation: string, text = xml()) {
  const notes: string[] = [];
  const report: Report = {
    step: (what, words) => notes.push(`${what}: ${words}`),
    note: (line) => notes.push(line),
  };
  const folders = {
    configDir: '/etc/passqemu',
    stateDir: STATE,
    watchProgram: ['/usr/bin/node', '/hook'] as const,
  };
  const call = parseHookCall(['win', operation, 'begin', '-']);
  await runHookOperation(
    host,
    call,
    () => text,
    folders,
    report,
    () => null,
  );
  const started = host.calls.filter((one) => one.startsWith('spawnDetached'));
  return { notes, watchers: started.map((one) => one.replace(/^.* \/hook /, '')) };
}

test('started starts one watcher with the vCPUs’ CPUs and the functions that the guest holds', async () => {
  const { watchers } = await operate(await machine(), 'started');
  assert.deepEqual(watchers, [`win watch ${UUID} 4-5 4-5 ${NIC}`]);
});

for (const [what, profile, text, watchers] of [
  [
    'leaves the emulator where the domain pins it',
    '',
    xml("<emulatorpin cpuset='0'/>"),
    [`win watch ${UUID} 4-5 - ${NIC}`],
  ],
  [
    'leaves interrupts alone where the profile says so',
    '[cpu]\nirqs = no\n',
    xml(),
    [`win watch ${UUID} - 4-5 ${NIC}`],
  ],
  ['takes the CPUs of the profile', '[cpu]\nguest = 2-5\n', xml(), [`win watch ${UUID} 4-5 2-5 ${NIC}`]],
  [
    'starts none where no CPUs are the guest’s own',
    '',
    `<domain><name>win</name><uuid>${UUID}</uuid><vcpu>2</vcpu></domain>`,
    [],
  ],
  ['starts none for the XML of another guest', '', xml('', 'other'), []],
  ['starts none for cut XML, and fails nothing', '', '<domain><na', []],
  ['starts none for a broken profile, and fails nothing', '[cpu\n', xml(), []],
] as const) {
  test(`reconnect ${what}`, async () => {
    assert.deepEqual((await operate(await machine(profile), 'reconnect', text)).watchers, watchers);
  });
}

test('started and reconnect start nothing for a guest that holds nothing, or whose release has begun', async () => {
  const host = await machine();
  const [journal] = readState(host, STATE).journals;
  host.overwrite(journal!.path, journal!.end, '{"t":"pending","why":"x"}\n');
  assert.deepEqual((await operate(host, 'started')).watchers, []);
  host.drop(journal!.path);
  assert.deepEqual((await operate(host, 'reconnect')).watchers, []);
});

test('reconnect starts no second watcher', async () => {
  const host = await machine();
  const [journal] = readState(host, STATE).journals;
  const pid = host.spawnProcess(['node', 'hook', 'win', 'watch']);
  host.overwrite(journal!.path, journal!.end, `{"t":"watcher","pid":${pid},"startTicks":${pid * 10}}\n`);
  assert.deepEqual((await operate(host, 'reconnect')).watchers, []);
});

test('reconnect changes nothing and tells what others have changed', async () => {
  const host = await machine();
  const before = dump(host);
  assert.deepEqual((await operate(host, 'reconnect')).notes.slice(0, 1), [
    'All 6 steps are as they were made',
  ]);
  assert.deepEqual(dump(host), before);
  host.put('/proc/sys/vm/stat_interval', '7\n');
  const { notes } = await operate(host, 'reconnect');
  assert.match(notes[0]!, /^Changed by others since the start: .*7/);
  assert.deepEqual(
    notes.filter((line) => line.startsWith('All')),
    [],
  );
  assert.deepEqual(
    host.calls.filter((one) => /^(write|lock|replaceFile|remove)/.test(one)),
    [],
  );
});
