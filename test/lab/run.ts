import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ScriptOutput } from './console.ts';
import { followFile } from './follow-file.ts';
import type { Image } from './image.ts';
import { machineArguments } from './machine.ts';
import type { LabOptions } from './options.ts';
import { findCommand, run as runCommand } from './processes.ts';
import { closeRunFolder, makeRunFolder, type RunFolder } from './run-folder.ts';
import { serveScreens } from './screen.ts';
import { LabError, type Say } from './words.ts';

/** The exit status when the machine did not come to its end. */
export const unfinished = 125;

const interruptions: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

export interface RunCircumstances {
  keepDisk?: boolean;
  output: (text: string) => void;
  say: Say;
}

interface Ending {
  /** The script's status, or null when the machine did not finish. */
  status: number | null;
  /** How QEMU ended: its exit code, or 128 plus the signal's number as a shell says it. */
  code: number;
  why: string;
}

/** Boots a machine, runs the script in it, and returns the script's status. */
export async function runMachine(
  options: LabOptions,
  image: Image,
  around: RunCircumstances,
): Promise<number> {
  let ending = await runOnce(options, image, around);
  if (ending.status === null && (ending.code === 134 || ending.code === 139)) {
    around.say(`QEMU itself crashed (${ending.code}): running once more`);
    ending = await runOnce(options, image, around);
  }
  return ending.status ?? unfinished;
}

async function runOnce(options: LabOptions, image: Image, around: RunCircumstances): Promise<Ending> {
  const [file, ...rest] = options.script;
  const script = file === undefined ? [] : [`/lab/files/${path.basename(file)}`, ...rest];
  const run = await makeRunFolder(script, around.say);
  try {
    const ending = await boot(options, image, run, around);
    if (ending.status === null) await tellWhy(ending.why, run, around.say);
    return ending;
  } finally {
    await closeRunFolder(run, options.out);
  }
}

async function boot(
  options: LabOptions,
  image: Image,
  run: RunFolder,
  around: RunCircumstances,
): Promise<Ending> {
  const word = randomBytes(6).toString('hex');
  const files = options.script[0] === undefined ? run.out : path.dirname(path.resolve(options.script[0]));
  const begin = performance.now();
  const keepDisk = around.keepDisk ?? false;
  const packedKernel = options.uefi ? { packedKernel: await unpackKernel(image, run) } : {};
  // QEMU ends with this process, even when nobody is left to tell it.
  const command = ['--pdeathsig', 'KILL', findCommand('qemu-system-x86_64') ?? 'qemu-system-x86_64'];
  const child = spawn(
    'setpriv',
    [...command, ...machineArguments(options, { image, run, files, word, keepDisk, ...packedKernel })],
    {
      stdio: [options.shell ? 'inherit' : 'ignore', options.shell ? 'inherit' : 'pipe', 'pipe'],
    },
  );
  let complaints = '';
  child.stderr?.on('data', (bytes) => {
    complaints += bytes;
  });
  const script = new ScriptOutput(word, around.output);
  child.stdout?.on('data', (bytes) => script.push(bytes));
  const stopFollowing = options.verbose ? followFile(run.console, around.output) : () => {};
  const stopScreens = serveScreens(run, around.say);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill('SIGKILL');
  }, options.timeoutSeconds * 1000);

  // Ctrl-C ends the machine, and then this run as any other: its folder is not left behind.
  let interruptedBy = '';
  const interrupt = (signal: NodeJS.Signals): void => {
    interruptedBy = signal;
    child.kill('SIGKILL');
  };
  for (const signal of interruptions) process.on(signal, interrupt);

  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exit, signal) => resolve(exit ?? 128 + signalNumber(signal)));
  });
  clearTimeout(timer);
  for (const signal of interruptions) process.off(signal, interrupt);
  stopFollowing();
  stopScreens();
  const took = (performance.now() - begin) / 1000;
  if (script.closing !== null && code === (script.closing.status & 127) * 2 + 1) {
    const { status } = script.closing;
    if (!options.quiet) {
      const started = `script at ${script.started?.toFixed(1)} s`;
      around.say(
        `${options.suite} ${options.tier} ${options.iommu}: status ${status}, ${took.toFixed(1)} s (${started})`,
      );
    }
    return { status, code, why: '' };
  }
  if (interruptedBy !== '') throw new LabError(`ended by ${interruptedBy}`);
  const why = timedOut ? `gave up after ${options.timeoutSeconds} s` : `QEMU ended with ${code}`;
  return { status: null, code, why: `${why}, the machine had not finished\n${complaints}`.trimEnd() };
}

/** UEFI firmware starts no ELF kernel; the one that nested guests have in the image is whole. */
async function unpackKernel({ disk }: Image, { folder }: RunFolder): Promise<string> {
  const file = path.join(folder, 'vmlinuz');
  await runCommand(['debugfs', '-R', `dump /usr/local/lib/lab/vmlinuz ${file}`, disk]);
  return file;
}

async function tellWhy(why: string, run: RunFolder, say: Say): Promise<void> {
  const tail = (await readFile(run.console, 'latin1')).trimEnd().split(/\r?\n/).slice(-25);
  for (const line of [...why.split('\n'), 'the end of its console:', ...tail]) say(line);
}

function signalNumber(signal: NodeJS.Signals | null): number {
  const numbers: Partial<Record<NodeJS.Signals, number>> = {
    SIGABRT: 6,
    SIGSEGV: 11,
    SIGKILL: 9,
    SIGTERM: 15,
    SIGINT: 2,
  };
  return (signal && numbers[signal]) ?? 0;
}
