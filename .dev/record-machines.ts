import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureTools, runTools } from '../test/lab/build/tools.ts';
import { ensureImage } from '../test/lab/image.ts';
import { parseOptions } from '../test/lab/options.ts';
import { runMachine } from '../test/lab/run.ts';
import { LabError } from '../test/lab/words.ts';

/** What a machine of test/machines was made by: `told` of its expected.json. */
interface Told {
  readonly suite: string;
  readonly iommu: string;
  readonly append: readonly string[];
  /** QEMU's arguments for processors, memory and devices, an option and its value each. */
  readonly qemu: readonly string[];
  /** Shell commands that shape the running machine further. */
  readonly commands: readonly string[];
}

/**
 * node --import tsx .dev/record-machines.ts NAME ...: boots each machine of test/machines as its expected.json says, compares
 * passqemu with lscpu, lspci, lsusb and numactl there, and records it anew (machine.tar.gz). Needs dist/passqemu.
 */
const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

async function record(name: string): Promise<number> {
  const folder = join(import.meta.dirname, '..', 'test', 'machines', name);
  const { told } = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as { told: Told };
  const script = join(import.meta.dirname, '..', 'test', 'lab', 'scenarios', 'cross-check.sh');
  const options = parseOptions([
    ...['--suite', told.suite, '--iommu', told.iommu, '--timeout', '900', '--out', folder],
    ...told.append.flatMap((words) => ['--append', words]),
    ...[script, 'record', ...told.commands],
  ])!;
  options.shape =
    told.qemu.length === 0 ? null : told.qemu.flatMap((line) => /^(\S+) (.*)$/.exec(line)!.slice(1));
  const image = await ensureImage(options.suite, say);
  return await runMachine(options, image, { output: (text) => process.stdout.write(text), say });
}

try {
  await ensureTools(runTools, say);
  for (const name of process.argv.slice(2)) {
    say(`# ${name}`);
    if ((await record(name)) !== 0) process.exitCode = 1;
  }
} catch (error) {
  say(error instanceof LabError ? error.message : String((error as Error).stack));
  process.exitCode = 1;
}
