import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { RealHost } from '../../../lib/host/real-host.ts';
import { RealProcesses } from '../../../lib/host/real-processes.ts';
import type { DrivenLife } from '../../../lib/run/drive-life.ts';
import { readLaunches } from '../../../lib/run/launch-record.ts';
import { QmpClient } from '../../../lib/run/qmp-client.ts';
import { endError, type Launch, monitorArguments, runGuest } from '../../../lib/run/run-guest.ts';

const QEMU = '/usr/bin/qemu-system-x86_64';
const withQemu = { skip: existsSync(QEMU) ? false : 'there is no QEMU here' };
const BARE = [
  QEMU,
  '-nodefaults',
  '-display',
  'none',
  '-machine',
  'q35',
  '-accel',
  'tcg,thread=multi',
  '-m',
  '32',
];

/** A guest without a disk: its firmware waits for ever, and it does not listen to the power button. */
function guest(t: TestContext, about: Partial<Launch> = {}) {
  const stateDir = mkdtempSync(join(tmpdir(), 'passqemu-run-'));
  t.after(() => rmSync(stateDir, { recursive: true, force: true }));
  const host = new RealHost('/', () => {}, [stateDir]);
  const launch: Launch = {
    guest: 'test',
    stateDir,
    wrapper: [],
    argv: [...BARE, '-smp', '2', '-name', 'guest=test'],
    env: { PATH: '/usr/bin:/bin' },
    files: [],
    leftovers: [],
    wishes: { vcpus: new Map(), iothreads: new Map(), emulator: null, realtime: new Map() },
    times: { stopMs: 60_000, quitMs: 10_000 },
    ...about,
  };
  const lines: string[] = [];
  const qemu: string[] = [];
  let control: Pick<DrivenLife, 'ask' | 'order'> | null = null;
  const run = (onStarted: () => void = () => {}) =>
    runGuest(host, new RealProcesses(), launch, {
      say: (line) => void lines.push(line),
      qemu: (line) => void qemu.push(line),
      control: (life) => {
        control = life;
      },
      started: onStarted,
    });
  return { host, launch, lines, qemu, run, ask: () => control?.ask(), order: () => control?.order() };
}

const allowed = (pid: number, task: number) =>
  /^Cpus_allowed_list:\t(.*)$/m.exec(readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8'))?.[1];

test(
  'runGuest() places the threads before the guest runs, and the first two wishes end it',
  withQemu,
  async (t) => {
    const wishes = {
      vcpus: new Map([
        [0, [1]],
        [1, [0]],
      ]),
      iothreads: new Map([['io0', [1]]]),
      emulator: [0],
      realtime: new Map(),
    };
    const argv = [...BARE, '-smp', '2', '-object', 'iothread,id=io0', '-name', 'guest=test'];
    const one = guest(t, { wishes, argv });
    let placed: unknown = null;
    const end = await one.run(() => {
      void (async () => {
        const [record] = readLaunches(one.host, one.launch.stateDir);
        const pid = record!.qemu.pid;
        const qmp = await QmpClient.open(
          await new RealProcesses().connect(join(one.launch.stateDir, 'test.qmp'), 5000),
        );
        const cpus = (await qmp.execute('query-cpus-fast')) as { 'thread-id': number }[];
        const [io] = (await qmp.execute('query-iothreads')) as { 'thread-id': number }[];
        const running = (await qmp.execute('query-status')) as { running: boolean };
        placed = {
          cpus: cpus.map((cpu) => allowed(pid, cpu['thread-id'])),
          io: allowed(pid, io!['thread-id']),
          main: allowed(pid, pid),
          running: running.running,
        };
        qmp.close();
        one.ask();
        one.ask();
      })();
    });
    assert.deepEqual(placed, { cpus: ['1', '0'], io: '1', main: '0', running: true });
    assert.deepEqual({ ...end, output: '' }, { status: 0, signal: null, wanted: true, output: '' });
    assert.equal(endError(end), null);
    assert.deepEqual(one.lines, [
      'Asked the guest to power down; once more ends QEMU at once, as if the plug were pulled',
      'Ending QEMU',
      'QEMU was told to quit',
    ]);
    assert.deepEqual(readdirSync(one.launch.stateDir), []);
  },
);

test('runGuest() ends by itself after an order where the guest does not listen', withQemu, async (t) => {
  const one = guest(t, { times: { stopMs: 300, quitMs: 10_000 } });
  const begun = Date.now();
  const end = await one.run(() => one.order());
  assert.equal(end.status, 0);
  assert.ok(Date.now() - begun >= 300);
});

test('runGuest() tells what QEMU says and knows about a start that fails', withQemu, async (t) => {
  const one = guest(t, { argv: [...BARE, '-device', 'vfio-pci,host=0000:ff:1f.7'] });
  await assert.rejects(one.run(), (error: Error & { hint?: string }) => {
    assert.match(error.message, /^Cannot start QEMU: it ended with status 1$/);
    assert.match(error.hint ?? '', /There is no such PCI function any more/);
    return true;
  });
  assert.match(one.qemu.join('\n'), /no such host device/);
  assert.deepEqual(readdirSync(one.launch.stateDir), []);
  const none = guest(t, { argv: ['/nonexistent/qemu'] });
  await assert.rejects(none.run(), { message: 'Cannot run /nonexistent/qemu: ENOENT' });
});

test('runGuest() ends QEMU where its threads cannot be placed', withQemu, async (t) => {
  const wishes = { vcpus: new Map([[7, [0]]]), iothreads: new Map(), emulator: null, realtime: new Map() };
  const one = guest(t, { wishes });
  await assert.rejects(one.run(), /Cannot place vCPU 7/);
  assert.deepEqual(readdirSync(one.launch.stateDir), []);
});

test('a QEMU that is killed is told as that', withQemu, async (t) => {
  const one = guest(t);
  const end = await one.run(() => {
    const [record] = readLaunches(one.host, one.launch.stateDir);
    one.host.signal(record!.qemu, 'SIGKILL');
  });
  assert.match(endError(end)?.message ?? '', /QEMU has ended by signal SIGKILL/);
});

test('a wish before QEMU greets ends it', withQemu, async (t) => {
  const one = guest(t);
  const running = one.run();
  for (let count = 0; readLaunches(one.host, one.launch.stateDir).length === 0 && count < 500; count++)
    await new Promise((resolve) => setTimeout(resolve, 2));
  one.ask();
  const end = await running;
  assert.equal(end.wanted, true);
});

test('monitorArguments() refuses a path that no socket can have', () => {
  assert.throws(() => monitorArguments('/run/passqemu', 'g'.repeat(100)), /longer than 107 bytes/);
  assert.deepEqual(monitorArguments('/run/a,b', 'g')[1], 'unix:/run/a,,b/g.qmp,server=on,wait=off');
});
