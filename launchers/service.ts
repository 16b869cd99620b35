import { isSystemd } from '../lib/host/systemd.ts';
import { STOP_TIMES } from '../lib/run/life.ts';
import { escapeUnit } from '../lib/run/wrapper.ts';
import {
  formatGuestUnit,
  type GuestUnit,
  installGuestUnit,
  removeGuestUnit,
  unitName,
} from '../lib/setup/guest-unit.ts';
import { HostError, UsageError } from '../lib/words/errors.ts';
import type { CommandLine } from './command-line.ts';
import type { Globals } from './globals.ts';
import { readRunInputs } from './inputs.ts';

/** Giving back takes its time too: a page pool, a driver that is slow to let go. */
const RELEASE_SECONDS = 180;

/** `passqemu service <guest> [--print|--remove]`: a systemd unit that runs the guest, and gives everything back even if the launcher is killed. */
export async function service(line: CommandLine, globals: Globals): Promise<number> {
  const { host, out } = globals;
  const { inputs, whole } = readRunInputs(line, globals);
  const { guest } = inputs;
  if (line.words[0] !== guest)
    throw new UsageError(
      `Cannot make a unit for ${line.words[0]}: a unit names its guest, and its profile is in ${globals.configDir}`,
    );
  const unit = unitOf(guest, whole.run.machine.stopTimeout, globals);
  if (line.has('print')) {
    out(formatGuestUnit(unit).trimEnd());
    return 0;
  }
  if (!isSystemd(host))
    throw new HostError('Cannot make a unit: systemd does not run here', { hint: '--print shows it' });
  if (line.has('remove')) {
    const removed = await removeGuestUnit(host, unit);
    out(removed ? `Removed ${unitName(unit)}` : `There is no ${unitName(unit)}`);
    return 0;
  }
  const path = await installGuestUnit(host, unit);
  out(
    globals.json
      ? JSON.stringify({ path, unit: unitName(unit) })
      : `Wrote ${path}; systemctl start ${quoted(unitName(unit))} runs the guest, enable does so at every boot`,
  );
  return 0;
}

function unitOf(guest: string, guestSeconds: number, { host, configDir, stateDir }: Globals): GuestUnit {
  const own = host.realPath(process.argv[1] ?? '');
  if (own === null) throw new HostError('Cannot make a unit: passqemu does not know where it lies');
  const options = [
    ...(configDir === '/etc/passqemu' ? [] : ['--config-dir', configDir]),
    ...(stateDir === '/run/passqemu' ? [] : ['--state-dir', stateDir]),
  ];
  const seconds = guestSeconds + Math.ceil((2 * STOP_TIMES.quitMs) / 1000);
  return {
    escaped: escapeUnit(guest),
    guest,
    program: own,
    options,
    stopSeconds: seconds + RELEASE_SECONDS,
  };
}

function quoted(unit: string): string {
  return unit.includes('\\') ? `'${unit}'` : unit;
}
