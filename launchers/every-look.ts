import { findFunctions } from '../lib/host/device-search.ts';
import { readPciFunction } from '../lib/host/pci-function.ts';
import { type CommandLine, parseCommandLine } from './command-line.ts';
import { devices } from './devices.ts';
import { type DeviceReport, readDevicesReport } from './devices-report.ts';
import { doctor } from './doctor.ts';
import type { Globals } from './globals.ts';
import { pin } from './pin.ts';
import { plan } from './plan.ts';
import { status } from './status.ts';
import { topology } from './topology.ts';

type Look = (line: CommandLine, globals: Globals) => Promise<number>;

/** Commands that read the machine and nothing else. */
const LOOKS: readonly Look[] = [devices, topology, pin, status, doctor];
/** Those that take a guest too. */
const GUEST_LOOKS: readonly Look[] = [plan, doctor];

/**
 * Lets every reading command look at the machine through this Host without telling, and those that take a guest at each
 * profile's. Gives the functions that are there.
 */
export async function lookAtEverything(globals: Globals): Promise<readonly DeviceReport[]> {
  const { host, configDir, stateDir } = globals;
  const quiet: Globals = { ...globals, out: () => {}, err: () => {} };
  const guests = host
    .list(configDir)
    .filter((name) => name.endsWith('.ini'))
    .map((name) => name.slice(0, -'.ini'.length));
  const looks = [
    ...LOOKS.map((look) => [look, []] as const),
    ...guests.flatMap((guest) => GUEST_LOOKS.map((look) => [look, [guest]] as const)),
  ];
  for (const [look, words] of looks) {
    try {
      await look(parseCommandLine(words, []), quiet);
    } catch {
      // What it refuses here it will refuse on the recorded machine
    }
  }
  const report = readDevicesReport(host, stateDir);
  // `pin --device` asks of one function what `devices` asks of all
  for (const { address } of report.devices) readPciFunction(host, address);
  // What profiles may name devices by: nothing has this serial number or address, so all are read
  for (const by of [
    { by: 'serial', serial: '' },
    { by: 'mac', mac: '' },
  ] as const)
    findFunctions(host, by);
  return report.devices;
}
