import type { Host } from '../host/host.ts';
import { VERSION } from '../words/version.ts';
import type { GuestInputs } from './guest.ts';
import { planGuest } from './plan-guest.ts';
import { type PrepareRequest, prepareGuest } from './prepare.ts';
import type { Report } from './report.ts';

/** Where, for whom and how patiently: what the hook and each command decide for themselves. */
export type PrepareTerms = Pick<PrepareRequest, 'stateDir' | 'owner' | 'lockWaitMs' | 'interrupted'>;

/** Takes what profile and domain ask for: the plan is made under the lock, from the host as it is then. */
export function prepareInputs(
  host: Host,
  inputs: GuestInputs,
  terms: PrepareTerms,
  report: Report,
): Promise<'prepared' | 'adopted'> {
  const request: PrepareRequest = {
    ...terms,
    guest: inputs.guest,
    uuid: inputs.domain?.uuid ?? null,
    version: VERSION,
    inputs: inputs.asText,
    plan: (others) => planGuest(host, inputs, others),
  };
  return prepareGuest(host, request, report);
}
