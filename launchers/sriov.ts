import { setVirtualFunctions } from '../lib/apply/virtual-functions.ts';
import type { Host } from '../lib/host/host.ts';
import { type PciFunction, readPciFunction } from '../lib/host/pci-function.ts';
import { readPciNames } from '../lib/host/pci-names.ts';
import { UsageError } from '../lib/words/errors.ts';
import { parseAddressWord } from './address-word.ts';
import type { CommandLine } from './command-line.ts';
import { formatName } from './devices-text.ts';
import type { Globals } from './globals.ts';
import { LOCK_WAIT_MS } from './prepare.ts';
import { watchingReport } from './watching-report.ts';

/** `passqemu sriov ADDR N`: makes N virtual functions of a physical one, or ends them all. */
export async function sriov(line: CommandLine, globals: Globals): Promise<number> {
  const { host, stateDir } = globals;
  const [where = '', count = ''] = line.words;
  const address = parseAddressWord(where);
  if (!/^\d{1,5}$/.test(count))
    throw new UsageError(
      `Cannot make "${count}" virtual functions: it must be a number`,
      '0 ends those that are there',
    );
  const dryRun = line.has('dry-run');
  const request = { stateDir, address, wanted: Number(count), lockWaitMs: LOCK_WAIT_MS, dryRun };
  const { note } = watchingReport(globals, address, 'sriov');
  const { before, after } = await setVirtualFunctions(host, request, note);
  const functions = after.virtualFunctions.flatMap((one) => readPciFunction(host, one) ?? []);
  if (globals.json) {
    const told = functions.map(({ address, vendorId, deviceId, driver, group }) => ({
      address,
      vendorId,
      deviceId,
      driver,
      group,
    }));
    globals.out(
      JSON.stringify(
        { address, wanted: request.wanted, dryRun, sriov: after.sriov, functions: told },
        null,
        2,
      ),
    );
  } else for (const text of describe(before, after, functions, request, host)) globals.out(text);
  return 0;
}

function describe(
  before: PciFunction,
  after: PciFunction,
  functions: readonly PciFunction[],
  { address, wanted, dryRun }: { address: string; wanted: number; dryRun: boolean },
  host: Host,
): string[] {
  const had = before.sriov?.enabled ?? 0;
  const total = after.sriov?.total ?? 0;
  if (had === wanted)
    return [`${address} has ${wanted} of ${total} virtual functions, as wanted`, ...list(host, functions)];
  if (dryRun)
    return [
      `Would write ${wanted} to sriov_numvfs of ${address}, which has ${had} of ${total} virtual functions`,
    ];
  if (wanted === 0) return [`${address} has no virtual functions any more`];
  const lasts = 'They last until the next boot, or until passqemu sriov';
  return [
    `${address} has ${wanted} of ${total} virtual functions now:`,
    ...list(host, functions),
    `${lasts} ${address} 0; a guest takes one as any other function`,
  ];
}

function list(host: Host, functions: readonly PciFunction[]): string[] {
  const names = readPciNames(host, functions);
  return functions.map((fn) => {
    const group = fn.group === null ? '' : ` · IOMMU group ${fn.group}`;
    return `  ${fn.address} ${formatName({ ...fn, name: names(fn) })} · driver ${fn.driver ?? 'none'}${group}`;
  });
}
