import type { Imported, ImportHost } from '../lib/convert/imported.ts';
import { importDomain } from '../lib/convert/libvirt/import.ts';
import { importProxmox } from '../lib/convert/proxmox/import.ts';
import type { Host } from '../lib/host/host.ts';
import { listPciAddresses } from '../lib/host/pci-tree.ts';
import { readOwnFile, readStandardInput } from '../lib/host/standard-input.ts';
import { LARGEST_DOMAIN_BYTES } from '../lib/inputs/hook-call.ts';
import { stableUuid } from '../lib/qemu/plan-run.ts';
import { UsageError } from '../lib/words/errors.ts';
import { pciSlot } from '../lib/words/pci-address.ts';
import type { CommandLine } from './command-line.ts';
import { readDeviceAbout } from './device-line.ts';
import type { Globals } from './globals.ts';
import { readProxmoxStorages } from './proxmox-storages.ts';

/** `passqemu import <domain.xml|vm.conf|->`: a profile on stdout, and on stderr what it cannot hold. Changes nothing. */
export async function importGuest(line: CommandLine, globals: Globals): Promise<number> {
  const { json, out, err } = globals;
  const imported = readImported(line.words[0] ?? '', globals.host);
  if (json) {
    out(JSON.stringify({ profile: imported.profile, dropped: imported.dropped }, null, 2));
    return 0;
  }
  out(imported.profile.trimEnd());
  if (imported.dropped.length > 0) err('Not carried over:');
  for (const { what, why } of imported.dropped) err(`  ${what}: ${why}`);
  return 0;
}

function readImported(source: string, host: Host): Imported {
  const text = source === '-' ? readStandardInput(LARGEST_DOMAIN_BYTES) : readNamed(source);
  const around: ImportHost = {
    usualUuid: stableUuid,
    about: (address) => readDeviceAbout(host, address),
    functionsOf: (slot) => listPciAddresses(host).filter((address) => pciSlot(address) === slot),
  };
  if (/^\ufeff?\s*</.test(text)) return importDomain(text, around);
  return importProxmox(text, around, {
    storages: readProxmoxStorages(host),
    fallbackName: nameOfFile(source),
  });
}

function readNamed(source: string): string {
  const path = source.startsWith('/') ? source : `${process.cwd()}/${source}`;
  const text = readOwnFile(path, LARGEST_DOMAIN_BYTES);
  if (text !== null) return text;
  throw new UsageError(
    `Cannot read ${path}: there is no such file, or it is not readable`,
    'Name a domain XML (virsh dumpxml GUEST), a Proxmox configuration (/etc/pve/qemu-server/VMID.conf), or - for standard input',
  );
}

/** A Proxmox configuration need not name its machine; then its number does. */
function nameOfFile(source: string): string {
  const name = source === '-' ? '' : source.slice(source.lastIndexOf('/') + 1).replace(/\.conf$/, '');
  return name === '' ? 'guest' : name;
}
