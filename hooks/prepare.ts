import { readGuest } from '../lib/apply/guest.ts';
import { prepareInputs } from '../lib/apply/prepare-inputs.ts';
import type { Report } from '../lib/apply/report.ts';
import { readCallingDaemon } from '../lib/host/calling-daemon.ts';
import type { Host } from '../lib/host/host.ts';
import { DomainError } from '../lib/words/errors.ts';
import { type HookFolders, LOCK_WAIT_MS } from './hook-folders.ts';
import { tellEnd } from './tell-end.ts';

/** The hook's `prepare`: takes what profile and XML ask for; a guest without a profile is not ours. */
export async function prepareByHook(
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
  const begun = host.now();
  const daemon = readCallingDaemon(host);
  const owner = { kind: 'libvirt', ...(daemon !== null && { daemon }) } as const;
  const terms = { stateDir, owner, lockWaitMs: LOCK_WAIT_MS, interrupted };
  const came = await prepareInputs(host, inputs, terms, report);
  const words = came === 'adopted' ? 'it was prepared already, by hand' : 'all is ready';
  tellEnd(host, { guest, operation: 'prepare' }, words, begun);
}
