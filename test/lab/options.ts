import { type Iommu, iommus, LabError, type Suite, suites, type Tier, tiers } from './words.ts';

export const usage = `Usage: npm run lab -- [options] [FILE [argument...]]

Boots a virtual machine with an IOMMU and PCI devices, with the built passqemu in it, runs FILE there as root and
exits with its status. The script finds its own folder at /lab/files; what it writes to /lab/out comes back with --out.

  --tier mid|full           mid: Debian without systemd (default); full: with systemd
  --suite bookworm|trixie   kernel 6.1 (default) or 6.12, with the libvirt and QEMU of that Debian
  --iommu intel|amd|none    which IOMMU the machine has (default intel)
  --gpu none|DEVICE         the graphics card at 04:00.0: a QEMU device, or none (default secondary-vga, or "secondary")
  --boot-gpu DEVICE         the display that it starts on (default VGA), as virtio-vga
  --uefi                    start by UEFI firmware (OVMF), whose frame buffer the kernel then has
  --sriov                   add an NVMe drive at 07:00.0 that can have two virtual functions (needs QEMU 7.1)
  --kvm-nested              KVM inside the machine, for guests with one virtual CPU
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
  bootGpu: string;
  uefi: boolean;
  sriov: boolean;
  nestedKvm: boolean;
  memoryMiB: number;
  append: string[];
  qemuArguments: string[];
  /** QEMU's arguments for processors, memory and devices in place of the lab's own; null for those (.dev/record-machines.ts). */
  shape: readonly string[] | null;
  timeoutSeconds: number;
  out: string | null;
  shell: boolean;
  verbose: boolean;
  quiet: boolean;
  /** The script's file and its arguments; empty when only a shell is wanted. */
  script: string[];
}

type Reader = (options: LabOptions, value: string, name: string) => void;

/** The options that take a value. Every second use of one overrides the first, but for those that collect. */
const valued: Record<string, Reader> = {
  tier: (options, value, name) => {
    options.tier = choice(name, value, tiers);
  },
  suite: (options, value, name) => {
    options.suite = choice(name, value, suites);
  },
  iommu: (options, value, name) => {
    options.iommu = choice(name, value, iommus);
  },
  gpu: (options, value) => {
    options.gpu = value === 'none' ? null : value === 'secondary' ? 'secondary-vga' : value;
  },
  'boot-gpu': (options, value) => {
    options.bootGpu = value;
  },
  mem: (options, value) => {
    options.memoryMiB = memory(value);
  },
  append: (options, value) => {
    options.append.push(value);
  },
  'qemu-arg': (options, value) => {
    options.qemuArguments.push(value);
  },
  timeout: (options, value) => {
    if (!/^[1-9]\d*$/.test(value)) throw usageError(`--timeout is a number of seconds, not ${value}`);
    options.timeoutSeconds = Number(value);
  },
  out: (options, value) => {
    options.out = value;
  },
};

const switches: Record<string, 'uefi' | 'sriov' | 'nestedKvm' | 'shell' | 'verbose' | 'quiet'> = {
  uefi: 'uefi',
  sriov: 'sriov',
  'kvm-nested': 'nestedKvm',
  shell: 'shell',
  verbose: 'verbose',
  quiet: 'quiet',
};

/**
 * Reads the command line; null when only the usage is asked for. Read by hand, because an option's value may begin
 * with a dash here (--qemu-arg -device), and all that follows FILE belongs to the script.
 */
export function parseOptions(argv: string[]): LabOptions | null {
  const options: LabOptions = {
    tier: 'mid',
    suite: 'bookworm',
    iommu: 'intel',
    gpu: 'secondary-vga',
    bootGpu: 'VGA',
    uefi: false,
    sriov: false,
    nestedKvm: false,
    memoryMiB: 4096,
    append: [],
    qemuArguments: [],
    shape: null,
    timeoutSeconds: 300,
    out: null,
    shell: false,
    verbose: false,
    quiet: false,
    script: [],
  };
  const words = [...argv];
  while (words[0]?.startsWith('-')) {
    const word = words.shift() ?? '';
    if (word === '--help' || word === '-h') return null;
    if (word === '--') break;
    const [, name = '', given] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    const flag = switches[name];
    const read = valued[name];
    if (flag !== undefined && given === undefined) {
      options[flag] = true;
    } else if (read !== undefined) {
      const value = given ?? words.shift();
      if (!value) throw usageError(`--${name} needs a value`);
      read(options, value, name);
    } else {
      throw usageError(flag === undefined ? `unknown option ${word}` : `--${name} takes no value`);
    }
  }
  options.script = words;
  if (words.length === 0 && !options.shell) throw usageError('a script to run is missing');
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

function usageError(message: string): LabError {
  return new LabError(`${message} (npm run lab -- --help)`, 2);
}
