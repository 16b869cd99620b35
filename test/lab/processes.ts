import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

const folders = [
  ...new Set([...(process.env.PATH ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin']),
];

/** Where a command is, or null. Looks in the folders of system tools too, which a user's PATH may lack. */
export function findCommand(name: string): string | null {
  for (const folder of folders) {
    const file = path.join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {}
  }
  return null;
}

/** Runs a command to its end; throws with what it complained of when it fails. */
export async function run(argv: string[], environment: Record<string, string> = {}): Promise<string> {
  return (await runToBuffer(argv, null, environment)).toString();
}

/** Like `run`, with bytes for the input and the output. */
export async function runToBuffer(
  argv: string[],
  input: Buffer | null = null,
  environment: Record<string, string> = {},
): Promise<Buffer> {
  const [command = '', ...rest] = argv;
  const child = spawn(command, rest, {
    stdio: [input === null ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, PATH: folders.join(':'), ...environment },
  });
  const output: Buffer[] = [];
  const complaints: Buffer[] = [];
  child.stdout?.on('data', (bytes) => output.push(bytes));
  child.stderr?.on('data', (bytes) => complaints.push(bytes));
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  const how = await new Promise<string>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code === 0 ? '' : signal === null ? `exit ${code}` : signal));
  });
  if (how !== '') {
    const tail = Buffer.concat(complaints).toString().trimEnd().split('\n').slice(-15).join('\n');
    throw new Error(`${argv.join(' ')}: ${how}\n${tail}`);
  }
  return Buffer.concat(output);
}
