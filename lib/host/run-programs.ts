import type { RunProfile } from '../inputs/run-profile.ts';
import type { Host } from './host.ts';
import type { RunPrograms } from './run-picture.ts';

const BRIDGE_HELPERS = [
  '/usr/lib/qemu/qemu-bridge-helper',
  '/usr/libexec/qemu-bridge-helper',
  '/usr/lib/qemu-bridge-helper',
  '/run/wrappers/bin/qemu-bridge-helper',
];
const VIRTIOFSD = [
  '/usr/libexec/virtiofsd',
  '/usr/lib/virtiofsd',
  '/usr/lib/qemu/virtiofsd',
  '/usr/lib/kvm/virtiofsd',
  '/run/current-system/sw/bin/virtiofsd',
];
const ASK_MS = 5_000;

/** Finds the programs that the profile needs beside QEMU, where distributions put them. */
export async function readRunPrograms(host: Host, run: RunProfile): Promise<RunPrograms> {
  const wantsTpm = run.tpm.type === 'swtpm';
  return {
    swtpm: wantsTpm ? programOf(host, 'swtpm') : null,
    swtpmSetup: wantsTpm ? programOf(host, 'swtpm_setup') : null,
    virtiofsd: run.shares.length > 0 ? await readVirtiofsd(host, run) : null,
    bridgeHelper: run.networks.some(({ type }) => type === 'bridge') ? firstOf(host, BRIDGE_HELPERS) : null,
  };
}

function programOf(host: Host, name: string): string | null {
  return firstOf(host, [`/usr/bin/${name}`, `/usr/local/bin/${name}`, `/run/current-system/sw/bin/${name}`]);
}

function firstOf(host: Host, paths: readonly string[]): string | null {
  return paths.find((path) => host.exists(path)) ?? null;
}

/** The one in C says "virtiofsd version 7.2.0 …", the one in Rust "virtiofsd 1.13.0". */
async function readVirtiofsd(host: Host, run: RunProfile): Promise<RunPrograms['virtiofsd']> {
  const asked = run.shares.find(({ virtiofsd }) => virtiofsd !== null)?.virtiofsd ?? null;
  const path = asked === null ? firstOf(host, VIRTIOFSD) : firstOf(host, [asked]);
  if (path === null) return null;
  const { stdout, stderr } = await host.run([path, '--version'], { timeoutMs: ASK_MS });
  return { path, kind: /^virtiofsd \d/m.test(`${stdout}\n${stderr}`) ? 'rust' : 'c' };
}
