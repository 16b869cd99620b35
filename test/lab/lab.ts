import { statSync } from 'node:fs';
import { ensureTools, runTools } from './build/tools.ts';
import { ensureImage } from './image.ts';
import { parseOptions, usage } from './options.ts';
import { runMachine, unfinished } from './run.ts';
import { LabError } from './words.ts';

/** What a start by UEFI firmware needs beside: the firmware, and what takes the kernel out of the image. */
const uefiTools = [
  { name: '/usr/share/OVMF/OVMF_CODE_4M.fd', package: 'ovmf' },
  { name: 'debugfs', package: 'e2fsprogs' },
];

const complain = (line: string): void => {
  process.stderr.write(`lab: ${line}\n`);
};

async function main(argv: string[]): Promise<number> {
  const options = parseOptions(argv);
  if (options === null) {
    process.stdout.write(usage);
    return 0;
  }
  const [file] = options.script;
  if (file !== undefined && !statSync(file, { throwIfNoEntry: false })?.isFile()) {
    throw new LabError(`there is no file ${file}`, 2);
  }
  const say = options.quiet ? () => {} : complain;
  await ensureTools(options.uefi ? [...runTools, ...uefiTools] : runTools, say);
  const image = await ensureImage(options.suite, say);
  return await runMachine(options, image, { output: (text) => process.stdout.write(text), say: complain });
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  complain(error instanceof LabError ? error.message : String(error instanceof Error ? error.stack : error));
  process.exitCode = error instanceof LabError && error.exitCode === 2 ? 2 : unfinished;
}
