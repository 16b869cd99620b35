import { releaseGuest } from '../lib/apply/release.ts';
import type { Report } from '../lib/apply/report.ts';
import type { Host } from '../lib/host/host.ts';
import { guestNameProblem, type HookCall } from '../lib/inputs/hook-call.ts';
import { quoted } from '../lib/inputs/parsed.ts';
import { PassqemuError, UsageError } from '../lib/words/errors.ts';
import { type HookFolders, LOCK_WAIT_MS } from './hook-folders.ts';
import { tellEnd } from './tell-end.ts';

/**
 * What each of libvirt's operations does (docs/hooks.rst of libvirt); all others do nothing. What only one of them needs (the
 * planners, the readers of profile and XML) is loaded by that one: to set it up would cost the others more than their work.
 */
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
    const { prepareByHook } = await import('./prepare.ts');
    await prepareByHook(host, guest, readXml, folders, report, interrupted);
  } else if (call.operation === 'release') {
    const uuid = () => uuidFrom(readXml, guest);
    const begun = host.now();
    const request = { stateDir: folders.stateDir, guest, uuid, lockWaitMs: LOCK_WAIT_MS };
    const came = await releaseGuest(host, request, report);
    if (came === 'released') tellEnd(host, call, 'everything is given back', begun);
  } else if (call.operation === 'reconnect') {
    const { lookAtRunning } = await import('./running.ts');
    await lookAtRunning(host, call.operation, guest, readXml, folders, report);
  } else if (call.operation === 'started' || call.operation === 'stopped') {
    const { runStageCommand } = await import('../lib/apply/stage-command.ts');
    await runStageCommand(host, folders.configDir, guest, call.operation, report);
  }
}

/** A guest may have a profile (the head of the hook has looked) and yet a name that no journal can have: it must not start without its devices. */
function refuseName({ guest, operation }: HookCall): void {
  const problem = guestNameProblem(guest);
  if (operation === 'prepare' && problem !== null) {
    throw new UsageError(`Cannot prepare ${quoted(guest)}: its name ${problem}`, 'Rename the guest');
  }
}

/** The UUID that the XML gives this guest; what is no XML, too large or another guest's says nothing. */
async function uuidFrom(readXml: () => string, guest: string): Promise<string | null> {
  const { tryParseDomain } = await import('../lib/inputs/try-domain.ts');
  try {
    const domain = tryParseDomain(readXml());
    return domain?.name === guest ? domain.uuid : null;
  } catch (error) {
    if (error instanceof PassqemuError) return null;
    throw error;
  }
}
