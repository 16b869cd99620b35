import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { isRunning } from '../../../lib/host/is-running.ts';
import {
  forgetEnded,
  forgetLaunch,
  launchFiles,
  parseLaunch,
  readLaunches,
  writeLaunch,
} from '../../../lib/run/launch-record.ts';
import { FakeHost } from '../../fake/fake-host.ts';

const STATE = '/run/passqemu';

test('writeLaunch() and readLaunches() agree, whatever the guest is called', () => {
  const host = new FakeHost().putFolder(STATE);
  const qemu = { pid: host.spawnProcess(['qemu-system-x86_64']), startTicks: 0 };
  const record = { guest: 'a.run', qemu, launcher: host.self(), at: 5, stopMs: 60_000, files: [] };
  writeLaunch(host, STATE, record);
  assert.deepEqual(readLaunches(host, STATE), [record]);
  assert.equal(isRunning(host, { ...qemu, startTicks: qemu.pid * 10 }), true);
  assert.equal(isRunning(host, qemu), false, 'another process with that number');
  forgetLaunch(host, STATE, 'a.run');
  assert.deepEqual(host.list(STATE), []);
});

test('forgetEnded() removes what the dead have left, and nothing that is not of their run', () => {
  const host = new FakeHost()
    .put(`${STATE}/keep.jsonl`, 'x')
    .put('/etc/passwd', 'x')
    .put(`${STATE}/run/a/share.sock.pid`, '7');
  const dead = { pid: 99_999, startTicks: 1 };
  const files = [
    `${STATE}/run/a/share.sock.pid`,
    `${STATE}/run/a`,
    `${STATE}/keep.jsonl`,
    `${STATE}/run/../keep.jsonl`,
    '/etc/passwd',
  ];
  writeLaunch(host, STATE, { guest: 'a', qemu: dead, launcher: dead, at: 1, stopMs: 60_000, files });
  const living = { guest: 'b', qemu: host.self(), launcher: dead, at: 1, stopMs: 60_000, files: [] };
  writeLaunch(host, STATE, living);
  forgetEnded(host, STATE);
  assert.deepEqual(host.list(STATE), ['b.run', 'keep.jsonl']);
  assert.equal(host.peek('/etc/passwd'), 'x');
  assert.deepEqual(readLaunches(host, STATE), [living]);
});

test('a process that waits to be collected has ended', () => {
  const host = new FakeHost().put('/proc/7/stat', `7 (qemu) Z 1 ${'0 '.repeat(17)}70 0`);
  assert.equal(isRunning(host, { pid: 7, startTicks: 70 }), false);
  host.put('/proc/7/stat', `7 (qemu) S 1 ${'0 '.repeat(17)}70 0`);
  assert.equal(isRunning(host, { pid: 7, startTicks: 70 }), true);
});

test('parseLaunch() gives a record of that guest or null', () => {
  const good = {
    guest: 'a',
    qemu: { pid: 1, startTicks: 2 },
    launcher: { pid: 3, startTicks: 4 },
    at: 5,
    stopMs: 90_000,
    files: ['/a'],
  };
  assert.deepEqual(parseLaunch(JSON.stringify(good), 'a'), good);
  // As versions before wrote it
  assert.equal(parseLaunch(JSON.stringify({ ...good, stopMs: undefined }), 'a')?.stopMs, 60_000);
  assert.equal(parseLaunch(JSON.stringify({ ...good, stopMs: 'long' }), 'a'), null);
  for (const bad of [
    '',
    '[]',
    'x',
    JSON.stringify({ ...good, guest: 'b' }),
    JSON.stringify({ ...good, qemu: { pid: -1, startTicks: 2 } }),
    JSON.stringify({ ...good, qemu: { pid: '1', startTicks: 2 } }),
    JSON.stringify({ ...good, at: null }),
    JSON.stringify({ ...good, files: [1] }),
  ])
    assert.equal(parseLaunch(bad, 'a'), null, bad);
  fc.assert(fc.property(fc.json(), (text) => parseLaunch(text, 'a') === null));
});

test('launchFiles() gives no two guests the same file', () => {
  const files = ['a', 'a.run', 'a.qmp', 'a.monitor'].flatMap((guest) =>
    Object.values(launchFiles(STATE, guest)),
  );
  assert.equal(new Set(files).size, files.length);
});
