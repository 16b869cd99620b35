import { whileNoneNeedsHook } from '../lib/apply/hook-needed.ts';
import { readOwnFile } from '../lib/host/standard-input.ts';
import { type HookStatus, installHook, readHookStatus, uninstallHook } from '../lib/setup/hook-install.ts';
import { installRecoverUnit, RECOVER_UNIT, uninstallRecoverUnit } from '../lib/setup/recover-unit.ts';
import { UsageError } from '../lib/words/errors.ts';
import type { CommandLine } from './command-line.ts';
import type { Globals } from './globals.ts';
import { LOCK_WAIT_MS } from './prepare.ts';

const LARGEST_BUNDLE = 8 << 20;

/** `passqemu hooks install|uninstall|status` */
export async function hooks(line: CommandLine, globals: Globals): Promise<number> {
  const { host, json, out } = globals;
  const act = line.words[0];
  if (act === 'uninstall') return uninstall(line.has('force'), globals);
  const bundle = findBundle();
  if (act === 'status') {
    const status = await readHookStatus(host, bundle, process.execPath);
    out(json ? JSON.stringify(status, null, 2) : formatStatus(status));
    return status.state === 'installed' ? 0 : 1;
  }
  if (act !== 'install')
    throw new UsageError(`Unknown word "${act}"`, 'passqemu hooks install, uninstall or status');
  if (bundle === null)
    throw new UsageError(
      'Cannot find the hook’s bundle',
      'It must lie beside passqemu, or in /usr/local/lib/passqemu/qemu',
    );
  const { status, written } = await installHook(host, bundle, process.execPath);
  const program = host.realPath(process.argv[1] ?? '');
  if (program !== null) await installRecoverUnit(host, program);
  out(
    json
      ? JSON.stringify({ written, ...status }, null, 2)
      : `${written ? 'Installed' : 'Was installed already'}\n${formatStatus(status)}`,
  );
  return 0;
}

/** A guest of libvirt's would hold for good what nobody gives back; the recover unit's own end gives back what the dead hold. */
async function uninstall(force: boolean, { host, stateDir, json, out, err }: Globals): Promise<number> {
  const removed: string[] = [];
  const needing = await whileNoneNeedsHook(host, stateDir, LOCK_WAIT_MS, force, () => {
    removed.push(...uninstallHook(host));
  });
  if (await uninstallRecoverUnit(host)) removed.push(RECOVER_UNIT);
  for (const guest of needing)
    err(`Nobody gives back what ${guest} holds: run passqemu release when it has ended`);
  const words = removed.length > 0 ? `Removed ${removed.join(', ')}` : 'No hook of ours is installed';
  out(json ? JSON.stringify({ removed }) : words);
  return 0;
}

/** The hook's bundle: beside this program, or where a package puts it. */
function findBundle(): string | null {
  const own = process.argv[1] ?? '';
  const beside = `${own.slice(0, own.lastIndexOf('/'))}/qemu`;
  for (const path of [beside, '/usr/local/lib/passqemu/qemu', '/usr/lib/passqemu/qemu']) {
    const text = readOwnFile(path, LARGEST_BUNDLE);
    if (text?.includes('hook')) return text;
  }
  return null;
}

function formatStatus({ place, state, node, daemon, seen, hints }: HookStatus): string {
  const who =
    daemon === null
      ? 'libvirt is not installed'
      : `${daemon.name} ${daemon.version ?? ''}${daemon.running ? '' : ' (not running)'}`;
  const remedy = REMEDIES[state];
  const lines = [`${place}: ${state}${remedy === undefined ? '' : ` (${remedy})`}`];
  if (node !== null) lines.push(`run by ${node}`);
  lines.push(who);
  if (daemon?.running === true && state !== 'missing') {
    lines.push(
      seen === true
        ? `${daemon.name} has seen that there are hooks`
        : `Whether ${daemon.name} has seen it is not known: systemctl reload ${daemon.name} makes sure`,
    );
  }
  return [...lines, ...hints].join('\n');
}

const REMEDIES: Readonly<Partial<Record<HookStatus['state'], string>>> = {
  missing: 'passqemu hooks install',
  stale: 'it is not this passqemu’s: passqemu hooks install',
  'not executable': 'libvirt does not run it: passqemu hooks install',
  foreign: 'it is somebody else’s and stays',
  twice: 'another one lies in the other place: passqemu hooks install removes it',
};
