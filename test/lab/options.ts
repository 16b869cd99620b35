import minimist from 'minimist';
import { type Iommu, iommus, LabError, type Suite, suites, type Tier, tiers } from './words.ts';

export const usage = `Usage: npm run lab -- [options] [FILE [argument...]]

Boots a virtual machine with an IOMMU and PCI devices, with the built passqemu in it, runs FILE there as root and
exits with its status. The script finds its own folder at /lab/files; what it writes to /lab/out comes back with --out.

  --tier mid|full           mid: Debian without systemd (default); full: with systemd
  --suite bookworm|trixie   kernel 6.1 (default) or 6.12, with the libvirt and QEMU of that Debian
  --iommu intel|amd|none    which IOMMU the machine has (default intel)
  --gpu none|DEVICE         the graphics card at 04:00.0: a QEMU device, or none (default secondary-vga, also "secondary")
  --igb                     add a network card with virtual functions at 07:00.0 (QEMU 8 or later)
  --kvm-nested              KVM inside the machine, for guests with one virtual CPU; everything else is slower
  --mem SIZE                memory, as 4G or 6144M (default 4G)
  --append TEXT             more words for the kernel command line (repeatable)
  --qemu-arg ARGUMENT       one more argument for QEMU (repeatable)
  --timeout SECONDS         give up after so long (default 300)
  --out DIR                 copy the files of /lab/out to DIR at the end
  --shell                   a shell on this terminal, after FILE if there is one
  --verbose                 show the kernel's console too
  --quiet                   nothing but the script's own output
  --help                    this text

Exit status: the script's; 2 bad usage; 125 the machine did not finish, or could not be made.
`;

export interface LabOptions {
  tier: Tier;
  suite: Suite;
  iommu: Iommu;
  gpu: string | null;
  igb: boolean;
  nestedKvm: boolean;
  memoryMiB: number;
  append: string[];
  qemuArguments: string[];
  timeoutSeconds: number;
  out: string | null;
  shell: boolean;
  verbose: boolean;
  quiet: boolean;
  script: string[];
}

const texts = ['tier', 'suite', 'iommu', 'gpu', 'mem', 'append', 'qemu-arg', 'timeout', 'out'];
const switches = ['igb', 'kvm-nested', 'shell', 'verbose', 'quiet', 'help'];

/** Reads the command line; null when only the usage is asked for. */
export function parseOptions(argv: string[]): LabOptions | null {
  const given = minimist(argv, {
    string: [...texts, '_'],
    boolean: switches,
    stopEarly: true,
    unknown: (word) => {
      if (word.startsWith('-')) throw usageError(`unknown option ${word.split('=')[0]}`);
      return true;
    },
  });
  if (given.help) return null;
  const all = (name: string): string[] => (given[name] === undefined ? [] : [given[name]].flat());
  const one = (name: string, otherwise: string): string => {
    const values = all(name);
    if (values.length > 1) throw usageError(`--${name} is given twice`);
    return values[0] ?? otherwise;
  };
  for (const name of texts) if (all(name).includes('')) throw usageError(`--${name} needs a value`);

  const gpu = one('gpu', 'secondary-vga');
  const options: LabOptions = {
    tier: choice('tier', one('tier', 'mid'), tiers),
    suite: choice('suite', one('suite', 'bookworm'), suites),
    iommu: choice('iommu', one('iommu', 'intel'), iommus),
    gpu: gpu === 'none' ? null : gpu === 'secondary' ? 'secondary-vga' : gpu,
    igb: given.igb === true,
    nestedKvm: given['kvm-nested'] === true,
    memoryMiB: memory(one('mem', '4G')),
    append: all('append'),
    qemuArguments: all('qemu-arg'),
    timeoutSeconds: seconds(one('timeout', '300')),
    out: one('out', '') || null,
    shell: given.shell === true,
    verbose: given.verbose === true,
    quiet: given.quiet === true,
    script: given._,
  };
  if (options.script.length === 0 && !options.shell) throw usageError('a script to run is missing');
  return options;
}

function choice<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((word) => word === value);
  if (found === undefined) throw usageError(`--${name} is ${allowed.join(' or ')}, not ${value}`);
  return found;
}

function memory(text: string): number {
  const match = /^([1-9]\d*)([GM])$/.exec(text);
  const size = match === null ? 0 : Number(match[1]) * (match[2] === 'G' ? 1024 : 1);
  if (size < 1024 || size % 2 !== 0) throw usageError(`--mem is a size such as 4G, at least 1G, not ${text}`);
  return size;
}

function seconds(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw usageError(`--timeout is a number of seconds, not ${text}`);
  return Number(text);
}

function usageError(message: string): LabError {
  return new LabError(`${message} (npm run lab -- --help)`, 2);
}
