import { guestNameProblem } from '../inputs/hook-call.ts';
import { UsageError } from '../words/errors.ts';

/** Where a guest's profile is: `guest` is a name (in the config folder) or a path to a profile. */
export function profilePlace(configDir: string, guest: string): { guest: string; path: string } {
  const isPath = guest.includes('/') || guest.endsWith('.ini');
  const name = isPath ? guest.slice(guest.lastIndexOf('/') + 1).replace(/\.ini$/, '') : guest;
  const problem = guestNameProblem(name);
  if (problem !== null) throw new UsageError(`Cannot use ${JSON.stringify(guest)} as a guest: ${problem}`);
  const path = !isPath
    ? `${configDir}/${name}.ini`
    : guest.startsWith('/')
      ? guest
      : `${process.cwd()}/${guest}`;
  return { guest: name, path };
}
