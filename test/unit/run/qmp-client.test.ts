import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { RealProcesses } from '../../../lib/host/real-processes.ts';
import { QmpClient } from '../../../lib/run/qmp-client.ts';
import { FakeConnection, fakeQemu } from '../../fake/fake-connection.ts';

test('QmpClient.open() waits for the greeting and leaves the negotiation', async () => {
  const connection = fakeQemu();
  const qmp = await QmpClient.open(connection);
  assert.deepEqual(qmp.version, [7, 2, 22]);
  assert.deepEqual(connection.sent, ['{"execute":"qmp_capabilities","id":"passqemu-1"}\n']);
});

test('QmpClient.open() gives up on a monitor that does not greet, ends, or is none', async () => {
  await assert.rejects(QmpClient.open(new FakeConnection(), 20), /has not greeted within 0.02 s/);
  const ended = new FakeConnection();
  queueMicrotask(() => ended.end('the other side has closed it'));
  await assert.rejects(QmpClient.open(ended), /Cannot talk to QEMU: the other side has closed it/);
  const other = new FakeConnection();
  queueMicrotask(() => other.say('SSH-2.0-OpenSSH_9.2\r\n'));
  await assert.rejects(QmpClient.open(other), /is no QMP message/);
});

test('execute() gives each answer to its question, in any order, and refusals in QEMU’s words', async () => {
  const connection = fakeQemu();
  const qmp = await QmpClient.open(connection);
  connection.answer = () => {};
  const first = qmp.execute('query-status');
  const second = qmp.execute('device_add', { id: 'a' });
  const refused = assert.rejects(second, {
    message: 'Cannot do device_add: QEMU says no bus',
    code: 'GenericError',
  });
  connection.say(
    '{"error":{"class":"GenericError","desc":"no bus"},"id":"passqemu-3"}\r\n',
    '{"return":{"running":true},"id":"passqemu-2"}\r\n',
  );
  assert.deepEqual(await first, { running: true });
  await refused;
});

test('execute() ends at its deadline, and a late answer harms nobody', async () => {
  const connection = fakeQemu();
  const qmp = await QmpClient.open(connection);
  connection.answer = () => {};
  await assert.rejects(qmp.execute('quit', {}, 10), /has not answered within 0.01 s/);
  connection.say('{"return":{},"id":"passqemu-2"}\r\n{"return":{},"id":"somebody"}\r\n{"return":{}}\r\n');
  connection.answer = () => connection.say('{"return":7,"id":"passqemu-3"}\r\n');
  assert.equal(await qmp.execute('x'), 7);
});

test('the end of the talk ends all that waits for it', async () => {
  const connection = fakeQemu();
  const qmp = await QmpClient.open(connection);
  connection.answer = () => {};
  const asked = assert.rejects(qmp.execute('cont'), { code: 'EPIPE' });
  const event = qmp.waitFor(() => true, 60_000);
  connection.end('ECONNRESET');
  await asked;
  assert.equal(await event, null);
  assert.equal(await qmp.ended, 'ECONNRESET');
  await assert.rejects(qmp.execute('cont'), /the talk with QEMU is over \(ECONNRESET\)/);
});

test('waitFor() gives the event that fits, or null in the end', async () => {
  const connection = fakeQemu();
  const qmp = await QmpClient.open(connection);
  const wanted = qmp.waitFor(({ name, data }) => name === 'DEVICE_DELETED' && data.device === 'b', 60_000);
  connection.say(
    '{"event":"DEVICE_DELETED","data":{"device":"a"}}\r\n{"event":"DEVICE_DELETED","data":{"device":"b"}}\r\n',
  );
  assert.deepEqual(await wanted, { is: 'event', name: 'DEVICE_DELETED', data: { device: 'b' } });
  assert.equal(await qmp.waitFor(() => true, 10), null);
});

test('a stranger in the middle of the talk ends it', async () => {
  const connection = fakeQemu();
  const qmp = await QmpClient.open(connection);
  connection.say('{"event":', '"STOP"} trailing\r\n');
  assert.match(await qmp.ended, /is no QMP message/);
});

const QEMU = '/usr/bin/qemu-system-x86_64';
const withQemu = { skip: existsSync(QEMU) ? false : 'there is no QEMU here' };

test('QmpClient talks to a real QEMU, by a descriptor and by a socket', withQemu, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'passqemu-qmp-'));
  const processes = new RealProcesses();
  const socket = join(folder, 'qmp');
  const argv = [
    QEMU,
    '-S',
    '-nodefaults',
    '-display',
    'none',
    '-machine',
    'q35,accel=tcg',
    '-smp',
    '2',
    '-m',
    '32',
  ];
  const started = await processes.start(
    [
      ...argv,
      ...['-object', 'iothread,id=io0'],
      ...['-chardev', 'socket,id=launcher,fd=3', '-mon', 'chardev=launcher,mode=control'],
      ...['-qmp', `unix:${socket},server=on,wait=off`],
    ],
    { env: {}, socket: true },
  );
  let said = '';
  started.onOutput((text) => {
    said += text;
  });
  try {
    const qmp = await QmpClient.open(started.socket!);
    assert.equal(qmp.version.length, 3);
    const cpus = (await qmp.execute('query-cpus-fast')) as { 'thread-id': number }[];
    assert.equal(cpus.length, 2);
    const resumed = qmp.waitFor(({ name }) => name === 'RESUME', 20_000);
    const other = await QmpClient.open(await processes.connect(socket, 5000));
    await other.execute('cont');
    assert.equal((await resumed)?.name, 'RESUME');
    await assert.rejects(other.execute('device_add', { driver: 'no such' }), /not a valid device model name/);
    await assert.rejects(other.execute('\n}'), { code: 'CommandNotFound' });
    const shutdown = qmp.waitFor(({ name }) => name === 'SHUTDOWN', 20_000);
    await other.execute('quit');
    assert.equal((await shutdown)?.data.reason, 'host-qmp-quit');
    assert.deepEqual(await started.ended, { status: 0, signal: null });
    await assert.rejects(processes.connect(join(folder, 'none'), 1000), { code: 'ENOENT' });
  } catch (error) {
    throw new Error(`QEMU said: ${said}`, { cause: error });
  } finally {
    try {
      process.kill(started.identity.pid, 'SIGKILL');
    } catch {
      // gone already
    }
    rmSync(folder, { recursive: true });
  }
});
