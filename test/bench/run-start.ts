import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  read,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Measured } from './measured.ts';
import { median, ratioOf } from './ratio.ts';

const PAIRS = 21;
const QEMU = '/usr/bin/qemu-system-x86_64';
/** Nobody else's on this machine. */
const GUEST = `first-${process.pid}`;
/** What `passqemu run` may take beyond QEMU itself, in `node -e 0`: its own node is the first of it. */
const BOUND = 1.5;
/** 64 KiB; the processor begins 16 bytes before their end: a byte to port 0xe9, then cli, hlt, jmp back. */
const FIRMWARE = Buffer.concat([
  Buffer.alloc(65_520),
  Buffer.from([0xb0, 0x78, 0xe6, 0xe9, 0xfa, 0xf4, 0xeb, 0xfd]),
  Buffer.alloc(8),
]);

/**
 * The way to the guest's first instruction: `passqemu run` against the very command line that it prints, started bare. The guest
 * takes nothing of the host, so what counts is the launcher: its node, the plan, QEMU's monitor, the threads. The guest's first
 * instruction writes a byte into a FIFO that we read.
 */
export async function measureRunStart(checkout: string): Promise<Measured[]> {
  if (!existsSync(QEMU) || process.getuid?.() !== 0) return [];
  const folder = mkdtempSync(path.join(tmpdir(), 'passqemu-bench-'));
  try {
    const guest = writeGuest(folder);
    const words = ['--config-dir', folder, '--state-dir', path.join(folder, 'state')];
    const program = [path.join(checkout, 'dist', 'passqemu'), 'run', GUEST, ...words];
    const bare = printedArgv([...program, '--dry-run', '--json']);
    const fifo = openSync(guest.fifo, 'r+');
    const rounds: { node: number; bare: number; run: number }[] = [];
    for (let index = 0; index < PAIRS; index++) {
      rounds.push({
        node: nodeMs(),
        bare: await firstInstructionMs(bare, fifo, folder),
        run: await firstInstructionMs([...program, '--quiet'], fifo, folder),
      });
    }
    closeSync(fifo);
    const middle = (of: (round: (typeof rounds)[number]) => number) => median(rounds.map(of)).toFixed(0);
    return [
      {
        what: 'from `passqemu run` to the first instruction, beyond the bare command line, to `node -e 0`',
        ratio: ratioOf(rounds.map(({ node, bare, run }) => [node, run - bare] as const)),
        bound: BOUND,
        note: `\`node -e 0\` ${middle(({ node }) => node)} ms, bare ${middle(({ bare }) => bare)} ms, run ${middle(({ run }) => run)} ms`,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function writeGuest(folder: string): { fifo: string } {
  const fifo = path.join(folder, 'first');
  const rom = path.join(folder, 'rom');
  writeFileSync(rom, FIRMWARE);
  if (spawnSync('mkfifo', [fifo]).status !== 0) throw new Error('mkfifo failed');
  writeFileSync(
    path.join(folder, `${GUEST}.ini`),
    `[machine]
accel = tcg
memory = 32M
usb = no
rng = no
[firmware]
type = bios
[display]
type = none
[knobs]
inhibit-sleep = no
[cpu]
emulator = 0
[arguments]
rom = -bios ${rom}
first = -chardev file,id=first,path=${fifo} -device isa-debugcon,iobase=0xe9,chardev=first
`,
  );
  return { fifo };
}

function printedArgv(argv: readonly string[]): string[] {
  const { status, stdout, stderr } = spawnSync(argv[0]!, argv.slice(1), { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${argv.join(' ')} ended with ${status}: ${stderr}`);
  return (JSON.parse(stdout) as { argv: string[] }).argv;
}

/** From the start of a command to the byte; what it has started is ended before the next one. */
async function firstInstructionMs(argv: readonly string[], fifo: number, folder: string): Promise<number> {
  // The launcher makes it, the bare line needs it
  mkdirSync(path.join(folder, 'state', 'run', GUEST), { recursive: true });
  const begun = performance.now();
  const child = spawn(argv[0]!, argv.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (part: Buffer) => {
    said += String(part);
  });
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  const arrived = new Promise<number>((resolve, reject) => {
    read(fifo, Buffer.alloc(1), 0, 1, null, (error) =>
      error === null ? resolve(performance.now() - begun) : reject(error),
    );
  });
  const failed = ended.then(() => {
    throw new Error(`${argv[0]} ended before the guest began: ${said}`);
  });
  failed.catch(() => {});
  const ms = await Promise.race([arrived, failed]);
  await end(child, ended);
  return ms;
}

/** A launcher ends QEMU at the second Ctrl-C, QEMU itself at the first. */
async function end(child: ChildProcess, ended: Promise<void>): Promise<void> {
  // The launcher hears of its guest a moment after the guest's first instruction
  await new Promise((resolve) => setTimeout(resolve, 100));
  child.kill('SIGINT');
  child.kill('SIGINT');
  const again = setInterval(() => child.kill('SIGINT'), 200);
  await ended;
  clearInterval(again);
}

function nodeMs(): number {
  const begun = performance.now();
  spawnSync(process.execPath, ['-e', '0'], { stdio: 'ignore', cwd: '/' });
  return performance.now() - begun;
}
