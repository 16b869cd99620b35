import type { Host } from './host.ts';

/** A running QEMU and how much of its memory is huge pages that it has by now. */
export interface QemuProcess {
  readonly pid: number;
  /** The guest's name as `-name` says it; null without one. */
  readonly guest: string | null;
  readonly uuid: string | null;
  readonly hugetlbKib: number;
}

/** Every QEMU that runs, by its command line. See proc(5): cmdline, and HugetlbPages in status. */
export function readQemuProcesses(host: Host): QemuProcess[] {
  const found: QemuProcess[] = [];
  for (const name of host.list('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const argv = host.readOptional(`/proc/${name}/cmdline`)?.split('\0') ?? [];
    if (!isQemu(argv)) continue;
    const status = host.readOptional(`/proc/${name}/status`) ?? '';
    found.push({
      pid: Number(name),
      guest: parseQemuName(argumentOf(argv, '-name')),
      uuid: argumentOf(argv, '-uuid'),
      hugetlbKib: Number(/^HugetlbPages:\s+(\d{1,15}) kB$/m.exec(status)?.[1] ?? 0),
    });
  }
  return found;
}

/** The huge pages that each guest's QEMU has mapped, in KiB by the guest's name; guests without a QEMU are not in it. */
export function readMappedKib(host: Host): Map<string, number> {
  const mapped = new Map<string, number>();
  for (const { guest, hugetlbKib } of readQemuProcesses(host)) {
    if (guest !== null) mapped.set(guest, (mapped.get(guest) ?? 0) + hugetlbKib);
  }
  return mapped;
}

/** The name in QEMU's `-name` argument ("guest=a,,b,debug-threads=on" → "a,b"): commas of a name are doubled. */
export function parseQemuName(argument: string | null): string | null {
  for (const option of argument?.match(/(?:[^,]|,,)+/g) ?? []) {
    const name = option.startsWith('guest=') ? option.slice('guest='.length) : option;
    if (name === option && option.includes('=')) continue;
    return name.replaceAll(',,', ',');
  }
  return null;
}

const QEMU = /(?:^|\/)(?:qemu[^/]*|kvm)$/;
/** Programs that carry out the next one in their own place (execve(2)): one that is just doing so will be QEMU in a moment. */
const WRAPPER = /(?:^|\/)(?:systemd-run|sh|prlimit|setpriv|chrt|taskset)$/;

function isQemu(argv: readonly string[]): boolean {
  const [program = ''] = argv;
  return (
    QEMU.test(program) ||
    (WRAPPER.test(program) && argv.includes('-name') && argv.some((word) => QEMU.test(word)))
  );
}

function argumentOf(argv: readonly string[], option: string): string | null {
  const at = argv.indexOf(option);
  return at < 0 ? null : (argv[at + 1] ?? null);
}
