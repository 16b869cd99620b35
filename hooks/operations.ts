import { readGuest } from '../lib/apply/guest.ts';
import { planGuest } from '../lib/apply/plan-guest.ts';
import { prepareGuest } from '../lib/apply/prepare.ts';
import { releaseGuest } from '../lib/apply/release.ts';
import type { Report } from '../lib/apply/report.ts';
import { runStageCommand } from '../lib/apply/stage-command.ts';
import type { WatchProgram } from '../lib/apply/start-watcher.ts';
import type { Host } from '../lib/host/host.ts';
import { guestNameProblem, type HookCall } from '../lib/inputs/hook-call.ts';
import { quoted } from '../lib/inputs/parsed.ts';
import { tryParseDomain } from '../lib/inputs/try-domain.ts';
import { DomainError, PassqemuError, UsageError } from '../lib/words/errors.ts';
import { VERSION } from '../lib/words/version.ts';
import { attend } from './running.ts';

/** How long an operation waits for another guest's. */
export const LOCK_WAIT_MS = 120_000;

export interface HookFolders {
  readonly configDir: string;
  readonly stateDir: string;
  /** How the watcher of a running guest is started; null: none is. */
  readonly watchProgram: WatchProgram | null;
}

/** What each of libvirt's operations does (docs/hooks.rst of libvirt); all others do nothing. */
export async function runHookOperation(
  host: Host,
  call: HookCall,
  readXml: () => string,
  folders: HookFolders,
  report: Report,
  interrupted: () => string | null,
): Promise<void> {
  const { guest } = call;
  if (call.kind === 'unknown') return refuseName(call);
  if (call.operation === 'prepare') {
    await prepare(host, guest, readXml, folders, report, interrupted);
  } else if (call.operation === 'release') {
    const uuid = () => uuidFrom(readXml, guest);
    await releaseGuest(host, { stateDir: folders.stateDir, guest, uuid, lockWaitMs: LOCK_WAIT_MS }, report);
  } else if (call.operation === 'reconnect') {
    attend(host, 'reconnect', { guest, readXml, ...folders }, report);
  } else if (call.operation === 'started' || call.operation === 'stopped') {
    if (call.operation === 'started') attend(host, 'started', { guest, readXml, ...folders }, report);
    await runStageCommand(host, folders.configDir, guest, call.operation, report);
  }
}

async function prepare(
  host: Host,
  guest: string,
  readXml: () => string,
  { configDir, stateDir }: HookFolders,
  report: Report,
  interrupted: () => string | null,
): Promise<void> {
  const inputs = readGuest(host, configDir, guest, readXml);
  if (inputs === null) return;
  if (inputs.domain !== null && inputs.domain.name !== guest) {
    throw new DomainError(`Cannot prepare ${guest}: the XML is that of "${inputs.domain.name}"`);
  }
  await prepareGuest(
    host,
    {
      stateDir,
      guest,
      uuid: inputs.domain?.uuid ?? null,
      owner: { kind: 'libvirt' },
      version: VERSION,
      inputs: inputs.asText,
      lockWaitMs: LOCK_WAIT_MS,
      plan: (others) => planGuest(host, inputs, others),
      interrupted,
    },
    report,
  );
}

/** A guest may have a profile (the head of the hook has looked) and yet a name that no journal can have: it must not start without its devices. */
function refuseName({ guest, operation }: HookCall): void {
  const problem = guestNameProblem(guest);
  if (operation === 'prepare' && problem !== null) {
    throw new UsageError(`Cannot prepare ${quoted(guest)}: its name ${problem}`, 'Rename the guest');
  }
}

/** The UUID that the XML gives this guest; what is no XML, too large or another guest's says nothing. */
function uuidFrom(readXml: () => string, guest: string): string | null {
  try {
    const domain = tryParseDomain(readXml());
    return domain?.name === guest ? domain.uuid : null;
  } catch (error) {
    if (error instanceof PassqemuError) return null;
    throw error;
  }
}
