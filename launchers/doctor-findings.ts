import { type GuestInputs, readGuest } from '../lib/apply/guest.ts';
import { readHeldSteps } from '../lib/apply/held.ts';
import { readState } from '../lib/apply/journal.ts';
import { planGuest } from '../lib/apply/plan-guest.ts';
import { profilePlace } from '../lib/apply/profile-place.ts';
import { readRunGuest } from '../lib/apply/run-guest.ts';
import type { Finding } from '../lib/doctor/finding.ts';
import { runChecks } from '../lib/doctor/run-checks.ts';
import type { GuestWishes } from '../lib/host/guest-checkup.ts';
import { readQemuCapabilities } from '../lib/host/qemu-capabilities.ts';
import { type CheckupInput, readCheckup } from '../lib/host/read-checkup.ts';
import { readRunPicture } from '../lib/host/read-run-picture.ts';
import { parseDomain } from '../lib/inputs/domain-xml.ts';
import { parseGuestXml } from '../lib/inputs/guest-xml.ts';
import type { WholeProfile } from '../lib/inputs/run-profile.ts';
import { planRun } from '../lib/qemu/plan-run.ts';
import { PassqemuError, RefusedError } from '../lib/words/errors.ts';
import type { Globals } from './globals.ts';
import { runFolders } from './run-planned.ts';

/** A guest as `doctor` was asked about it; either the profile or the XML may be missing. */
export interface NamedGuest {
  readonly name: string;
  readonly xml: string | null;
}

type GuestPlaces = Pick<Globals, 'host' | 'stateDir' | 'configDir'> & Partial<Pick<Globals, 'stateDirGiven'>>;

/** Looks at the host, and at one guest where one is named, by every check. Changes nothing. */
export async function readFindings(
  globals: GuestPlaces,
  named: NamedGuest | null,
  isRoot: boolean = process.getuid?.() === 0,
): Promise<readonly Finding[]> {
  const { host, stateDir, configDir } = globals;
  const checkup = await readCheckup(host, {
    isRoot,
    wedged: readHeldSteps(host, stateDir).wedged,
    configDir,
    guest: named === null ? null : readWishes(globals, named),
  });
  return runChecks(checkup);
}

function readWishes(globals: GuestPlaces, { name, xml }: NamedGuest): NonNullable<CheckupInput['guest']> {
  const { guest } = profilePlace(globals.configDir, name);
  const read = readGuest(globals.host, globals.configDir, name, () => xml);
  const run = xml === null && read !== null ? readRunGuest(globals.host, globals.configDir, name) : null;
  const whole = run?.whole.describesGuest === true ? run.whole : null;
  const inputs = run !== null && whole !== null ? run.inputs : read;
  return {
    guest,
    planRun: async () => (whole === null ? null : await tryRun(globals, whole)),
    profile: inputs?.profile ?? null,
    domain: xml === null ? null : parseDomain(xml),
    xml: xml === null ? null : parseGuestXml(xml),
    plan: () => (inputs === null ? { value: [] } : plan(globals, inputs)),
  };
}

/** Why QEMU would not be started now, for everything that the profile says of the guest itself. */
async function tryRun(globals: GuestPlaces, whole: WholeProfile): Promise<GuestWishes['run']> {
  const { host } = globals;
  if (host.root !== '/') return { unseen: 'QEMU is asked on the machine itself, this one is recorded' };
  const folders = runFolders(whole.run.guest, globals);
  try {
    const qemu = await readQemuCapabilities(host, whole.run.machine.qemu, folders.cacheFolder);
    planRun(whole, await readRunPicture(host, whole, folders), qemu);
    return { value: [] };
  } catch (error) {
    if (error instanceof RefusedError) return { value: error.refusals };
    if (error instanceof PassqemuError)
      return { value: [{ id: 'no-qemu', summary: error.message, remedy: error.hint ?? null }] };
    throw error;
  }
}

/** Why a start would be refused now; of a guest that is prepared already nobody can tell. */
function plan({ host, stateDir }: GuestPlaces, inputs: GuestInputs): GuestWishes['refusals'] {
  const { journals, unreadable } = readState(host, stateDir);
  const [damaged] = unreadable;
  if (damaged !== undefined)
    return { unseen: `what guests hold is not known, ${damaged.path}: ${damaged.why}` };
  const others = journals.filter(({ header }) => header.guest !== inputs.guest);
  if (others.length < journals.length) return { unseen: 'the guest is prepared now' };
  try {
    planGuest(host, inputs, others);
    return { value: [] };
  } catch (error) {
    if (error instanceof RefusedError) return { value: error.refusals };
    if (error instanceof PassqemuError) return { unseen: `the plan could not be made: ${error.message}` };
    throw error;
  }
}
