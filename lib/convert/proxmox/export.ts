import { isSection } from '../../inputs/profile-keys.ts';
import { parseRunProfile } from '../../inputs/read-run-profile.ts';
import { DropList, type Dropped } from '../dropped.ts';
import type { Exportable } from '../exportable.ts';
import { ProfileSource } from '../profile-source.ts';
import { writeDisks } from './disks.ts';
import { writeFirmware } from './firmware.ts';
import { writeFunctions } from './functions.ts';
import { writeMachine } from './machine.ts';
import { writeNetworks } from './networks.ts';
import type { Writing } from './parts.ts';
import { writePeripherals } from './peripherals.ts';
import type { ProxmoxStorage } from './storage.ts';

/** Writes a profile as the options of `qm set` (qm(1)), in their order and without dashes; what Proxmox cannot say is told. */
export function exportProxmox(
  { guest, path, text, functions, uuid }: Exportable,
  { storages, storage }: { readonly storages: readonly ProxmoxStorage[]; readonly storage: string | null },
): { readonly options: ReadonlyMap<string, string>; readonly dropped: readonly Dropped[] } {
  parseRunProfile(text, { guest, path });
  const dropList = new DropList();
  const source = new ProfileSource(text);
  const options = new Map<string, string>();
  const writing: Writing = { source, dropList, functions, storages, storage, options, keys: new Map() };
  if (/^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/.test(guest))
    options.set('name', guest);
  else dropList.add(`the name ${JSON.stringify(guest)}`, 'Proxmox takes names of the DNS');
  writeMachine(writing);
  writeFirmware(writing, uuid);
  writeFunctions(writing);
  writeDisks(writing);
  writeNetworks(writing);
  writePeripherals(writing);
  writeBoot(writing);
  for (const { section, key } of source.unread()) {
    const isOfHost = isSection(section);
    dropList.add(
      `[${section}] ${key}`,
      isOfHost ? 'it is what passqemu does on the host' : 'Proxmox has no option for it',
    );
  }
  return { options, dropped: dropList.all };
}

function writeBoot({ source, options, keys, dropList }: Writing): void {
  const places = [
    ...source.sections('disk'),
    ...source.sections('network'),
    ...source.sections('device'),
    ...source.sections('usb'),
  ]
    .map((section) => ({ section, place: source.number(section, 'boot') }))
    .filter(({ place }) => place !== null)
    .sort((a, b) => a.place! - b.place!);
  const order = places.flatMap(({ section }) => {
    const key = keys.get(section);
    if (key === undefined) dropList.add(`[${section}] boot`, 'Proxmox does not get it');
    return key === undefined ? [] : [key];
  });
  if (order.length > 0) options.set('boot', `order=${order.join(';')}`);
}
