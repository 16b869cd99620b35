import type { GuestInputs } from '../lib/apply/guest.ts';
import { readState } from '../lib/apply/journal.ts';
import { planParts } from '../lib/apply/plan-parts.ts';
import { readRunGuest } from '../lib/apply/run-guest.ts';
import { readQemuCapabilities } from '../lib/host/qemu-capabilities.ts';
import { type RunFolders, readRunPicture } from '../lib/host/read-run-picture.ts';
import type { WholeProfile } from '../lib/inputs/run-profile.ts';
import { planRun, stableUuid } from '../lib/qemu/plan-run.ts';
import type { RunPlan } from '../lib/qemu/run-plan.ts';
import { type Refusal, RefusedError, UsageError } from '../lib/words/errors.ts';
import type { Plan } from '../lib/words/step.ts';
import type { CommandLine } from './command-line.ts';
import type { Globals } from './globals.ts';

/** A guest without libvirt, planned: what is taken for it, and how its QEMU is run. */
export interface PlannedRun {
  readonly inputs: GuestInputs;
  readonly whole: WholeProfile;
  readonly prepare: Plan;
  readonly run: RunPlan;
}

/** Reads the profile, asks QEMU and the host, and plans both halves; throws all reasons against them at once. */
export async function readPlannedRun(line: CommandLine, globals: Globals): Promise<PlannedRun> {
  const { host, configDir, stateDir } = globals;
  const named = line.words[0] ?? '';
  const read = readRunGuest(host, configDir, named);
  if (read === null) return (await import('./inputs.ts')).refuseNoProfile(named, globals);
  const { inputs } = read;
  if (!read.whole.describesGuest) {
    throw new UsageError(
      `Cannot run ${inputs.guest}: its profile does not say what the guest is, it must have sections such as [machine] and [disk …]`,
      `virsh start ${inputs.guest} starts a guest of libvirt; passqemu import makes a whole profile of its XML`,
    );
  }
  if (host.root !== '/') {
    throw new UsageError(
      `Cannot ask QEMU what it has: ${host.root} is a recorded machine`,
      `passqemu plan ${inputs.guest} shows what would be taken there`,
    );
  }
  const whole = withWords(read.whole, line.rest);
  const folders = runFolders(inputs.guest, globals);
  const qemu = await readQemuCapabilities(host, whole.run.machine.qemu, folders.cacheFolder);
  const picture = await readRunPicture(host, whole, folders);
  const others = readState(host, stateDir).journals.filter(({ header }) => header.guest !== inputs.guest);
  const takesDevices = inputs.profile.devices.requests.length > 0;
  const devices = takesDevices ? (await import('../lib/apply/device-part.ts')).devicePart : null;
  return {
    inputs,
    whole,
    ...planBoth(
      () => planParts(host, inputs, others, devices),
      () => planRun(whole, picture, qemu),
    ),
  };
}

/** Words behind "--" come last of all. */
function withWords(whole: WholeProfile, words: readonly string[]): WholeProfile {
  if (words.length === 0) return whole;
  return { ...whole, run: { ...whole.run, arguments: [...whole.run.arguments, { label: '--', words }] } };
}

function planBoth(prepare: () => Plan, run: () => RunPlan): { prepare: Plan; run: RunPlan } {
  const refusals: Refusal[] = [];
  const attempt = <T>(make: () => T): T | null => {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      refusals.push(...error.refusals);
      return null;
    }
  };
  const planned = { prepare: attempt(prepare), run: attempt(run) };
  if (planned.prepare !== null && planned.run !== null) return { prepare: planned.prepare, run: planned.run };
  const count = refusals.length;
  throw new RefusedError(
    `Cannot start the guest: ${count === 1 ? 'there is one reason against it' : `there are ${count} reasons against it`}`,
    refusals,
  );
}

/** Paths of sockets may be so long (unix(7)), and the longest name we add is "share-….sock". */
const LONGEST_RUN_FOLDER = 60;

/** Root's are the system's; an ordinary user has folders of their own. */
export function runFolders(
  guest: string,
  globals: Pick<Globals, 'stateDir'> & Partial<Pick<Globals, 'stateDirGiven'>>,
): RunFolders & { readonly cacheFolder: string } {
  const uid = process.getuid?.() ?? 0;
  const isRoot = uid === 0;
  const home = process.env.HOME ?? '/';
  const runtime = process.env.XDG_RUNTIME_DIR ?? `/run/user/${uid}`;
  const state = isRoot || globals.stateDirGiven === true ? globals.stateDir : `${runtime}/passqemu`;
  const plain = `${state}/run/${guest}`;
  return {
    uid,
    runFolder: Buffer.byteLength(plain) <= LONGEST_RUN_FOLDER ? plain : `${state}/run/${stableUuid(guest)}`,
    dataFolder: `${isRoot ? '/var/lib' : (process.env.XDG_DATA_HOME ?? `${home}/.local/share`)}/passqemu/${guest}`,
    cacheFolder: isRoot
      ? '/var/cache/passqemu'
      : `${process.env.XDG_CACHE_HOME ?? `${home}/.cache`}/passqemu`,
    configFolder: isRoot ? null : (process.env.XDG_CONFIG_HOME ?? `${home}/.config`),
  };
}
