import { profilePlace } from '../lib/apply/profile-place.ts';
import type { Dropped } from '../lib/convert/dropped.ts';
import type { Exportable } from '../lib/convert/exportable.ts';
import { exportDomain } from '../lib/convert/libvirt/export.ts';
import { exportProxmox } from '../lib/convert/proxmox/export.ts';
import { readConfigFile } from '../lib/host/config-file.ts';
import { chosenOf } from '../lib/host/device-identity.ts';
import { findFunctions } from '../lib/host/device-search.ts';
import type { Host } from '../lib/host/host.ts';
import { formatArgvWords } from '../lib/inputs/argv-words.ts';
import { parseProfile } from '../lib/inputs/read-profile.ts';
import { parseRunProfile } from '../lib/inputs/read-run-profile.ts';
import { stableUuid } from '../lib/qemu/plan-run.ts';
import { UsageError } from '../lib/words/errors.ts';
import type { PciAddress } from '../lib/words/pci-address.ts';
import type { CommandLine } from './command-line.ts';
import type { Globals } from './globals.ts';
import { readProxmoxStorages } from './proxmox-storages.ts';
import type { PlannedRun } from './run-planned.ts';

/** `passqemu export <guest> --to libvirt|proxmox|qemu`: another program's form of the guest on stdout, on stderr what it cannot say. */
export async function exportGuest(line: CommandLine, globals: Globals): Promise<number> {
  const to = line.value('to');
  const vmid = line.value('vmid');
  if (vmid !== null && !/^[1-9]\d{2,8}$/.test(vmid))
    throw new UsageError(`Cannot export to machine ${JSON.stringify(vmid)}: it must be a number from 100 on`);
  const storage = line.value('storage');
  if (storage !== null && !/^[A-Za-z][A-Za-z0-9._-]*$/.test(storage))
    throw new UsageError(`Cannot export to storage ${JSON.stringify(storage)}: it is no name of a storage`);
  const exporter = to !== null && Object.hasOwn(EXPORTERS, to) ? EXPORTERS[to] : undefined;
  if (exporter === undefined) {
    throw new UsageError(
      to === null ? 'Cannot export: --to is missing' : `Cannot export to ${JSON.stringify(to)}`,
      `--to must be ${Object.keys(EXPORTERS).join(' or ')}`,
    );
  }
  return exporter(readExportable(line, globals), line, globals);
}

type Exporter = (guest: Exportable, line: CommandLine, globals: Globals) => Promise<number>;

const EXPORTERS: Readonly<Record<string, Exporter>> = {
  libvirt: async (guest, _line, globals) => {
    const { xml, dropped } = exportDomain(guest);
    return show(xml.trimEnd(), { xml, dropped }, globals);
  },
  proxmox: async (guest, line, globals) => {
    const { options, dropped } = exportProxmox(guest, {
      storages: readProxmoxStorages(globals.host),
      storage: line.value('storage'),
    });
    const commands = [...options].map(([key, value]) => [
      'qm',
      'set',
      line.value('vmid') ?? 'VMID',
      `--${key}`,
      value,
    ]);
    const head = line.value('vmid') === null ? [`VMID=\${VMID:?the number of the machine in Proxmox}`] : [];
    const text = commands.map((argv) => formatArgvWords(argv).replace(/^qm set VMID /, 'qm set "$VMID" '));
    return show([...head, ...text].join('\n'), { commands, dropped }, globals);
  },
  qemu: async (_guest, line, globals) => {
    const { readPlannedRun } = await import('./run-planned.ts');
    const planned = await readPlannedRun(line, globals);
    const { formatCommand } = await import('./dry-run.ts');
    const { run } = planned;
    return show(formatCommand(run, run.argv), { argv: run.argv, dropped: lostInCommand(planned) }, globals);
  },
};

function show(
  text: string,
  data: { readonly dropped: readonly Dropped[] } & Readonly<Record<string, unknown>>,
  { json, out, err }: Globals,
): number {
  if (json) out(JSON.stringify(data, null, 2));
  else {
    out(text);
    if (data.dropped.length > 0) err('Not carried over:');
    for (const { what, why } of data.dropped) err(`  ${what}: ${why}`);
  }
  return 0;
}

/** What passqemu run does beside the command. */
function lostInCommand({ run, prepare }: PlannedRun): Dropped[] {
  const { threads } = run;
  const isPlaced =
    threads.emulator !== null || threads.iothreads.length > 0 || threads.vcpus.some((cpus) => cpus !== null);
  const { variables } = run.prepare;
  return [
    ...(prepare.steps.length === 0
      ? []
      : [
          {
            what: 'what is taken from the host',
            why: `passqemu prepare ${run.guest} takes it, passqemu release ${run.guest} gives it back`,
          },
        ]),
    ...(variables === null
      ? []
      : [{ what: 'the firmware’s variables', why: `copy ${variables.from} to ${variables.to} once` }]),
    ...run.sidecars.map(({ name, argv }) => ({
      what: `the program ${name}`,
      why: `start it before: ${formatArgvWords(argv)}`,
    })),
    ...(isPlaced || threads.realTime !== null
      ? [{ what: '[cpu] where threads run', why: 'passqemu run places them over QMP' }]
      : []),
  ];
}

function readExportable(line: CommandLine, { host, configDir }: Globals): Exportable {
  const { guest, path } = profilePlace(configDir, line.words[0] ?? '');
  const text = readConfigFile(host, path, process.getuid?.() ?? 0);
  if (text === null) {
    throw new UsageError(
      `Cannot export ${guest}: there is no profile ${path}`,
      'passqemu import makes one from a domain XML or a Proxmox configuration',
    );
  }
  if (!parseRunProfile(text, { guest, path }).describesGuest) {
    throw new UsageError(
      `Cannot export ${guest}: its profile does not say what the guest is, it must have sections such as [machine] and [disk …]`,
      `Where ${guest} is a guest of libvirt, virsh dumpxml ${guest} writes it, and passqemu import makes a whole profile of that`,
    );
  }
  return { guest, path, text, uuid: stableUuid(guest), functions: functionsOf(host, guest, path, text) };
}

/** An address is taken as it stands, so that a guest can be exported for another host; all else is looked for on this one. */
function functionsOf(host: Host, guest: string, path: string, text: string): ReadonlyMap<string, PciAddress> {
  const functions = new Map<string, PciAddress>();
  for (const { label, selector } of parseProfile(text, { guest, path }).devices.requests) {
    const address =
      selector.by === 'address' ? selector.address : chosenOf(selector, findFunctions(host, selector));
    if (address !== null) functions.set(label, address);
  }
  return functions;
}
