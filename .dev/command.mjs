import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The options of node under which it runs our TypeScript. */
export const TYPESCRIPT = ['--import', 'tsx'];

/**
 * Runs a program in the checkout to its end: `show` lets it write to the terminal, else its output is collected (`see` gets
 * it piece by piece). Gives its exit status, 128 plus the signal's number where it was killed, as a shell would.
 */
export function runCommand(argv, { show = false, see = () => {}, env = {} } = {}) {
  const [program, ...rest] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
    });
    const pieces = [];
    const take = (piece) => {
      pieces.push(piece);
      see(piece.toString());
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const status = code ?? 128 + (SIGNALS[signal] ?? 0);
      resolve({ status, output: Buffer.concat(pieces).toString() });
    });
  });
}

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };
