import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { RealHost } from '../../../lib/host/real-host.ts';
import { HostError } from '../../../lib/words/errors.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'passqemu-host-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const place = (name: string) => path.join(folder, name);
const host = () => new RealHost('/', () => {});

test('write() refuses a file that does not exist instead of creating it', () => {
  assert.throws(() => host().write(place('misspelt'), 'x'), { name: 'HostError', code: 'ENOENT' });
  assert.equal(fs.existsSync(place('misspelt')), false);
});

test('read() drops white space and NULs at the end only', () => {
  fs.writeFileSync(place('text'), '  a b \n\0\n');
  assert.equal(host().read(place('text')), '  a b');
});

test('writeSlowly() writes one line', async () => {
  fs.writeFileSync(place('slow'), '');
  const one = host();
  await one.writeSlowly(place('slow'), "it's $HOME `id`\n", 5000);
  await one.writeSlowly(place('slow'), '\n', 5000);
  assert.equal(fs.readFileSync(place('slow'), 'utf8'), "it's $HOME `id`\n\n");
});

test('writeSlowly() names the errno of what the kernel refused', async () => {
  const one = host();
  await assert.rejects(one.writeSlowly(place('nowhere'), 'x\n', 5000), { code: 'ENOENT' });
  await assert.rejects(one.writeSlowly('/proc/self/mem', 'x\n', 5000), { code: 'EIO' });
});

test('writeSlowly() gives up at the deadline and leaves the writer to itself', async () => {
  const fifo = place('fifo');
  spawnSync('mkfifo', [fifo]);
  const one = host();
  const writer = one.startWriter();
  await assert.rejects(one.writeSlowly(fifo, 'late\n', 200), { code: 'ETIMEDOUT' });
  assert.ok(fs.existsSync(`/proc/${writer.pid}`), 'it still waits');
  assert.notEqual(one.startWriter().pid, writer.pid);
  // The write goes on and ends when somebody lets it
  assert.equal(fs.readFileSync(fifo, 'utf8'), 'late\n');
});

test('unlock() lets the writer end, and the next slow write has a new one', async () => {
  fs.writeFileSync(place('again'), '');
  const one = host();
  const { pid } = one.startWriter();
  one.unlock();
  await until(() => !fs.existsSync(`/proc/${pid}`));
  await one.writeSlowly(place('again'), 'x\n', 5000);
  assert.equal(fs.readFileSync(place('again'), 'utf8'), 'x\n');
});

test('startWriter() gives a process that has no part in our standard streams', () => {
  const { pid } = host().startWriter();
  const links = [0, 1, 3].map((fd) => fs.readlinkSync(`/proc/${pid}/fd/${fd}`));
  // While the shell waits in "read <&3", its descriptor 0 is that pipe
  assert.ok(links[0] === '/dev/null' || links[0] === links[2], links[0]);
  assert.equal(links[1], '/dev/null');
});

test('lock() is free after kill -9 of its holder, and children of the holder do not keep it', async () => {
  const lock = place('lock');
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', path.join(import.meta.dirname, 'hold-lock.fixture.ts'), lock],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const grandchild = await new Promise<number>((resolve) =>
    child.stdout.once('data', (text: Buffer) => resolve(Number(text.toString()))),
  );
  let waitedFor = '';
  const one = host();
  await assert.rejects(
    one.lock(lock, 'me', 100, (holder) => {
      waitedFor = holder;
    }),
    { code: 'ETIMEDOUT' },
  );
  assert.match(waitedFor, /^the fixture/);
  child.kill('SIGKILL');
  await one.lock(lock, 'me', 5000, () => {});
  assert.ok(fs.existsSync(`/proc/${grandchild}`), 'the child of the holder lives on');
  process.kill(grandchild);
  one.unlock();
});

test('writeSlowly() gives up at the deadline whatever the clock says', async (t) => {
  const fifo = place('stuck-clock');
  spawnSync('mkfifo', [fifo]);
  const late = host().writeSlowly(fifo, 'late\n', 100);
  // Timers come up to a millisecond early, and the clock may be set back
  t.mock.method(Date, 'now', () => 0);
  await assert.rejects(late, { code: 'ETIMEDOUT' });
  assert.equal(fs.readFileSync(fifo, 'utf8'), 'late\n');
});

test('a writer that the kernel holds does not hold the lock, and one process serves both', async () => {
  const lock = place('lock-of-two');
  const fifo = place('stuck');
  spawnSync('mkfifo', [fifo]);
  const one = host();
  await one.lock(lock, 'one', 5000, () => {});
  const writer = one.startWriter();
  await assert.rejects(one.writeSlowly(fifo, 'late\n', 200), { code: 'ETIMEDOUT' });
  one.unlock();
  await host().lock(lock, 'two', 100, () => {});
  assert.ok(fs.existsSync(`/proc/${writer.pid}`), 'the one that locked still waits');
  assert.equal(fs.readFileSync(fifo, 'utf8'), 'late\n');
});

test('lock() waits for whoever has it, and gets it', async () => {
  const lock = place('lock-waited');
  const [one, other] = [host(), host()];
  await one.lock(lock, 'one\n', 5000, () => {});
  let waitedFor = '';
  const locked = other.lock(lock, 'other\n', 5000, (holder) => {
    waitedFor = holder;
    setTimeout(() => one.unlock(), 50);
  });
  await locked;
  assert.equal(waitedFor, 'one');
  assert.equal(fs.readFileSync(lock, 'utf8'), 'other\n');
  other.unlock();
});

test('exchange() says the next thing when the one before it is answered, and gives all that it heard', async (t) => {
  const socket = place('socket');
  const said: string[] = [];
  const server = net.createServer((connection) => {
    // Whoever has given up is not there for the rest
    connection.on('error', () => {});
    connection.on('data', (part) => {
      said.push(part.toString());
      // An answer in two pieces, in the middle of which nothing may be said
      connection.write('he');
      setTimeout(() => connection.write(`ard ${said.length}\n`), 20);
    });
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  t.after(() => server.close());
  const lines = (count: number) => (heard: Buffer) => heard.toString().split('\n').length > count;
  const sayings = [
    { bytes: Buffer.from('one'), isAnswered: lines(1) },
    { bytes: Buffer.from('two'), isAnswered: lines(2) },
  ];
  assert.equal((await host().exchange(socket, sayings, 5000)).toString(), 'heard 1\nheard 2\n');
  assert.deepEqual(said, ['one', 'two']);
  const never = { bytes: Buffer.from('x'), isAnswered: () => false };
  await assert.rejects(host().exchange(socket, [never], 100), { code: 'ETIMEDOUT' });
  const puzzling = {
    bytes: Buffer.from('x'),
    isAnswered: () => {
      throw new Error('no D-Bus');
    },
  };
  await assert.rejects(host().exchange(socket, [puzzling], 5000), { code: 'EPROTO' });
  await assert.rejects(host().exchange(place('no-socket'), [never], 5000), { code: 'ENOENT' });
});

test('run() ends a program and what it started at the time limit', async () => {
  const begun = Date.now();
  const result = await host().run(['sh', '-c', 'sleep 30 & sleep 30'], { timeoutMs: 200 });
  assert.equal(result.timedOut, true);
  assert.equal(result.status, null);
  assert.ok(Date.now() - begun < 5000);
});

test('run() gives status and output, and a HostError for what is not there', async () => {
  const result = await host().run(['sh', '-c', 'cat; echo e >&2; exit 3'], { timeoutMs: 5000, input: 'in' });
  assert.deepEqual(result, { status: 3, stdout: 'in', stderr: 'e\n', timedOut: false });
  await assert.rejects(host().run(['no-such-program'], { timeoutMs: 1000 }), HostError);
});

test('signal() does not hit a later process of the same number', () => {
  const child = spawn('sleep', ['30']);
  assert.equal(host().signal({ pid: child.pid!, startTicks: 1 }, 'SIGKILL'), false);
  child.kill();
});

test('a recorded machine is read below its root, our own folders are not', () => {
  fs.mkdirSync(place('machine/sys'), { recursive: true });
  fs.writeFileSync(place('machine/sys/a'), 'recorded\n');
  const one = new RealHost(place('machine'), () => {}, [place('state')]);
  assert.equal(one.read('/sys/a'), 'recorded');
  one.makeFolder(place('state'), 0o755);
  assert.ok(fs.existsSync(place('state')));
});

test('createFile() does not take over a file that is there, replaceFile() leaves no temporary file', () => {
  const one = host();
  one.createFile(place('new'), 'a', 0o600);
  assert.throws(() => one.createFile(place('new'), 'b', 0o600), { code: 'EEXIST' });
  one.replaceFile(place('new'), 'c', 0o644);
  assert.equal(fs.readFileSync(place('new'), 'utf8'), 'c');
  assert.deepEqual(
    fs.readdirSync(folder).filter((name) => name.startsWith('new')),
    ['new'],
  );
});

/** Waits ten seconds at most for what must come true. */
async function until(isTrue: () => boolean): Promise<void> {
  for (let round = 0; round < 1000 && !isTrue(); round++) await new Promise((next) => setTimeout(next, 10));
  assert.ok(isTrue());
}

test('later() acts when the time has come, and not where it was called off', async () => {
  const host = new RealHost('/', () => {});
  const acted: string[] = [];
  host.later(5, () => acted.push('first'));
  host.later(5, () => acted.push('second'))();
  await host.sleep(50);
  assert.deepEqual(acted, ['first']);
});
