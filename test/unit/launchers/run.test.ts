import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { root } from '../../structure/source-files.ts';

const PROGRAM = join(root, 'dist', 'passqemu');
const skip =
  existsSync('/usr/bin/qemu-system-x86_64') && existsSync(PROGRAM) && process.getuid?.() === 0
    ? false
    : 'takes root, QEMU and a build';

/** A guest that holds nothing of the host but two commands: what they did is in a file. */
class Guest {
  readonly folder = mkdtempSync(join(tmpdir(), 'passqemu-run-'));
  readonly state = join(this.folder, 'state');

  constructor(t: TestContext) {
    t.after(() => {
      for (const pid of Object.values(this.pids() ?? {})) kill(pid);
      rmSync(this.folder, { recursive: true, force: true });
    });
    chmodSync(this.folder, 0o755);
    const mark = join(this.folder, 'mark');
    writeFileSync(mark, `#!/bin/sh\necho "$PASSQEMU_OPERATION" >>${this.folder}/marks\n`, { mode: 0o755 });
    writeFileSync(
      join(this.folder, 'k.ini'),
      `[machine]
accel = tcg
memory = 32M
usb = no
rng = no
user = nobody
[firmware]
type = bios
[display]
type = none
[knobs]
inhibit-sleep = no
[commands]
prepare-first = ${mark}
started = ${mark}
stopped = ${mark}
release-last = ${mark}
`,
    );
  }
  argv(...words: readonly string[]): string[] {
    return [...words, '--config-dir', this.folder, '--state-dir', this.state];
  }
  call(...words: readonly string[]): { status: number | null; text: string } {
    const { status, stdout, stderr } = spawnSync(PROGRAM, this.argv(...words), { encoding: 'utf8' });
    return { status, text: stdout + stderr };
  }
  /** Starts it and waits until it runs; `ended` gives the exit status and what was said. */
  async start() {
    const child = spawn(PROGRAM, this.argv('run', 'k'), { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (part: Buffer) => (text += String(part)));
    const ended = new Promise<{ status: number | null; text: string }>((resolve) =>
      child.on('close', (status) => resolve({ status, text })),
    );
    await until(() => /^k runs/m.test(text) || child.exitCode !== null);
    assert.match(text, /^k runs/m);
    await until(() => this.marks().includes('started'));
    return { child, ended };
  }
  pids(): { qemu: number; launcher: number } | null {
    const path = join(this.state, 'k.run');
    if (!existsSync(path)) return null;
    const record = JSON.parse(readFileSync(path, 'utf8')) as Record<'qemu' | 'launcher', { pid: number }>;
    return { qemu: record.qemu.pid, launcher: record.launcher.pid };
  }
  marks(): string[] {
    const path = join(this.folder, 'marks');
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  }
  left(): string[] {
    return readdirSync(this.state);
  }
}

const ALL = ['prepare-first', 'started', 'stopped', 'release-last'];

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone already
  }
}

async function until(holds: () => boolean): Promise<void> {
  const patience = Date.now() + 30_000;
  while (!holds() && Date.now() < patience) await new Promise((resolve) => setTimeout(resolve, 50));
}

test('run: two Ctrl-C end the guest, and what was taken is given back', { skip }, async (t) => {
  const guest = new Guest(t);
  const { child, ended } = await guest.start();
  const uid = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${guest.pids()!.qemu}/status`, 'utf8'))?.[1];
  assert.notEqual(uid, '0');
  assert.match(guest.call('run', 'k').text, /it runs already/);
  assert.match(guest.call('status').text, /^k: runs since/m);
  assert.match(guest.call('monitor', 'k', 'query-status').text, /"running": true/);
  const early = guest.call('release', 'k');
  assert.equal(early.status, 1);
  assert.match(early.text, /Cannot release k: it runs \(QEMU is process \d+\).*\n.*passqemu stop k/);
  assert.doesNotMatch(guest.call('status').text, /pending/);
  child.kill('SIGINT');
  child.kill('SIGINT');
  await until(() => guest.pids() === null);
  if (guest.pids() !== null) child.kill('SIGINT');
  const { status, text } = await ended;
  assert.equal(status, 0, text);
  assert.deepEqual(guest.marks(), ALL);
  assert.deepEqual(guest.left(), ['lock']);
});

test('run: QEMU killed is told, and everything is given back', { skip }, async (t) => {
  const guest = new Guest(t);
  const { ended } = await guest.start();
  kill(guest.pids()!.qemu);
  const { status, text } = await ended;
  assert.equal(status, 1);
  assert.match(text, /QEMU has ended by signal SIGKILL/);
  assert.deepEqual(guest.marks(), ALL);
  assert.deepEqual(guest.left(), ['lock']);
});

test('run: the launcher killed leaves the guest alone; stop ends it and gives everything back', {
  skip,
}, async (t) => {
  const guest = new Guest(t);
  const { ended } = await guest.start();
  const { qemu, launcher } = guest.pids()!;
  kill(launcher);
  await ended;
  assert.match(guest.call('recover').text, /k was left alone: its QEMU \d+ runs/);
  assert.match(guest.call('status', 'k').text, /its launcher was killed/);
  assert.ok(existsSync(`/proc/${qemu}`));
  assert.equal(guest.call('stop', 'k', '--force').status, 0);
  assert.deepEqual(guest.marks(), ['prepare-first', 'started', 'release-last']);
  assert.deepEqual(guest.left(), ['lock']);
});

test('run: both killed, recover gives everything back', { skip }, async (t) => {
  const guest = new Guest(t);
  const { ended } = await guest.start();
  const { qemu, launcher } = guest.pids()!;
  kill(launcher);
  kill(qemu);
  await ended;
  await until(() => !existsSync(`/proc/${qemu}`));
  assert.match(guest.call('recover').text, /k is released/);
  assert.deepEqual(guest.marks(), ['prepare-first', 'started', 'release-last']);
  assert.deepEqual(guest.left(), ['lock']);
});

test('status: a guest that is paused or whose QEMU hangs is told; stop lets it go on to power down', {
  skip,
}, async (t) => {
  const guest = new Guest(t);
  const { ended } = await guest.start();
  const { qemu } = guest.pids()!;
  const state = () => {
    const { running } = JSON.parse(guest.call('status', '--json').text) as { running: { state: string }[] };
    return running.map((one) => one.state);
  };
  assert.deepEqual(state(), ['running']);
  assert.equal(guest.call('monitor', 'k', 'stop').status, 0);
  assert.deepEqual(state(), ['paused']);
  assert.match(guest.call('status').text, /^k: runs since .*\n {2}it is paused: passqemu monitor k cont/m);
  process.kill(qemu, 'SIGSTOP');
  assert.match(guest.call('status', 'k').text, /its QEMU does not answer/);
  process.kill(qemu, 'SIGCONT');
  assert.match(guest.call('stop', 'k', '--timeout', '1').text, /k is stopped/);
  const { text } = await ended;
  assert.match(text, /The guest is paused[\s\S]*The guest goes on/);
  assert.deepEqual(guest.left(), ['lock']);
});

test('status: a guest that says itself that it has crashed is told as that', { skip }, async (t) => {
  const guest = new Guest(t);
  // Its first instructions, 16 bytes before the end: 1 ("panicked", docs/specs/pvpanic) to port 0x505, then cli, hlt
  const rom = Buffer.concat([
    Buffer.alloc(65_520),
    Buffer.from([0xba, 0x05, 0x05, 0xb0, 0x01, 0xee, 0xfa, 0xf4]),
    Buffer.alloc(8),
  ]);
  writeFileSync(join(guest.folder, 'rom'), rom);
  appendFileSync(
    join(guest.folder, 'k.ini'),
    `[arguments]\nrom = -bios ${guest.folder}/rom\npanic = -device pvpanic -action panic=pause\n`,
  );
  const { ended } = await guest.start();
  await until(() => guest.call('status').text.includes('has crashed'));
  assert.match(guest.call('status').text, /it has crashed .*passqemu monitor k system_reset begins anew/);
  assert.equal(guest.call('stop', 'k', '--force').status, 0);
  assert.match((await ended).text, /The guest has crashed \(it says so itself\)/);
});
