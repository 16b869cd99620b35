import { readHeldCpus } from '../lib/apply/held-cpus.ts';
import { profilePlace } from '../lib/apply/profile-place.ts';
import { parseMeminfo } from '../lib/host/memory.ts';
import { readTopology } from '../lib/host/topology.ts';
import { guestNameProblem } from '../lib/inputs/hook-call.ts';
import { parseRunProfile } from '../lib/inputs/read-run-profile.ts';
import { RefusedError, UsageError } from '../lib/words/errors.ts';
import { type Ask, askOnTerminal } from './ask.ts';
import type { CommandLine } from './command-line.ts';
import { readDeviceAbout } from './device-line.ts';
import { readDevicesReport } from './devices-report.ts';
import type { Globals } from './globals.ts';
import { cardsOf } from './new-cards.ts';
import { askGuest, type NewGuestHost } from './new-questions.ts';
import { plan } from './plan.ts';

/** `passqemu new [guest]`: asks what the guest shall have, writes its profile with comments, and shows the plan. */
export async function newGuest(line: CommandLine, globals: Globals): Promise<number> {
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true) {
    throw new UsageError(
      'Cannot ask: standard input and output must be a terminal',
      'Write the profile yourself (docs/profile.md), or let passqemu import make it from another program’s form',
    );
  }
  return makeGuest(line, globals, await askOnTerminal());
}

/** The same with any way of asking. */
export async function makeGuest(line: CommandLine, globals: Globals, ask: Ask): Promise<number> {
  const { host, configDir } = globals;
  if (host.root !== '/')
    throw new UsageError(
      `Cannot make a profile: ${host.root} is a recorded machine, which cannot be changed`,
    );
  const check = (name: string): string | null => {
    const problem = guestNameProblem(name);
    if (problem !== null) return `The name ${problem}`;
    return host.exists(profilePlace(configDir, name).path) ? 'There is a profile of this name already' : null;
  };
  const named = line.words[0] ?? null;
  const wrong = named === null ? null : check(named);
  if (wrong !== null) throw new RefusedError(`Cannot make ${JSON.stringify(named)}: ${wrong}`, []);
  const guest = named ?? (await ask.text('What is the guest called?', { proposed: 'guest', check }));
  const { path } = profilePlace(configDir, guest);

  const text = await askGuest(guest, readNewGuestHost(globals), ask);
  parseRunProfile(text, { guest, path });
  try {
    host.makeFolder(configDir, 0o755);
    host.replaceFile(path, text, 0o644);
  } catch (error) {
    // So many answers are not to be lost
    globals.out(text);
    throw error;
  }
  globals.out(`Written: ${path}; passqemu run ${guest} starts the guest`);
  const words = { words: [guest], rest: [], has: () => false, value: () => null };
  return plan(words, globals);
}

function readNewGuestHost({ host, stateDir }: Globals): NewGuestHost {
  const memory = parseMeminfo(host.readOptional('/proc/meminfo') ?? '');
  return {
    cards: cardsOf(readDevicesReport(host, stateDir)),
    topology: readTopology(host),
    taken: readHeldCpus(host, stateDir) ?? new Map(),
    memoryKib: memory.get('MemTotal') ?? null,
    identityOf: (address) => readDeviceAbout(host, address).identity,
    exists: (path) => host.exists(path),
  };
}
