import { formatIdentity, parseDeviceRequest } from '../../inputs/selector.ts';
import { type PciAddress, parsePciAddress, pciSlot } from '../../words/pci-address.ts';
import { addDevice } from '../add-device.ts';
import { type Card, cardsOf } from '../guest-cards.ts';
import type { ProfileSource } from '../profile-source.ts';
import type { ProxmoxProperties } from './conf.ts';
import { freeKey, properties, type Reading, type Writing } from './parts.ts';

/** Where Proxmox wants ROM files. */
const ROMS = '/usr/share/kvm/';
const IDS = ['vendor-id', 'device-id', 'sub-vendor-id', 'sub-device-id'] as const;

export function writeFunctions(writing: Writing): void {
  const { source, dropList, functions } = writing;
  for (const label of source.keys('devices')) {
    const { identity } = parseDeviceRequest(label, source.said('devices', label)!);
    if (identity !== null)
      dropList.add(
        `[devices] ${label}, ${formatIdentity(identity)}`,
        'Proxmox takes whatever is at the address',
      );
    if (!functions.has(label))
      dropList.add(
        `[devices] ${label}`,
        'it fits no single function of this host now, and Proxmox must have an address',
      );
  }
  for (const card of cardsOf(writing)) writeCard(card, writing);
  for (const section of source.sections('device')) {
    const mdev = source.said(section, 'mdev');
    if (mdev !== null)
      dropList.add(`[${section}] mdev`, 'Proxmox makes mediated devices itself, by their type');
    if (source.said(section, 'sysfs-device') !== null)
      dropList.add(`[${section}] sysfs-device`, 'Proxmox takes functions by their address');
  }
}

/** One card is one hostpciN: with several functions it is named by its slot, which is all of its functions. */
function writeCard({ members }: Card, writing: Writing): void {
  const { source, dropList, options, keys } = writing;
  const slots = new Set(members.map(({ address }) => pciSlot(address)));
  const isWhole =
    slots.size === 1 &&
    members.length > 1 &&
    !members.slice(1).some(({ label }) => hasOwnKeys(label, source));
  if (slots.size === 1 && members.length > 1 && !isWhole)
    dropList.add(
      `functions of ${[...slots][0]} as one card`,
      'each has keys of its own, which Proxmox has for whole cards only',
    );
  const hosts = isWhole ? [pciSlot(members[0]!.address)] : members.map(({ address }) => address);
  if (slots.size > 1)
    dropList.add(`[device ${members[1]!.label}] with`, 'each card of the host is one in the guest');
  for (const [at, host] of hosts.entries()) {
    const { label } = members[at]!;
    const section = `device ${label}`;
    const key = freeKey('hostpci', label, 15, new Set(options.keys()));
    if (key === null) {
      dropList.add(`[devices] ${label}`, 'Proxmox has 16 of them');
      continue;
    }
    keys.set(section, key);
    const rom = source.said(section, 'romfile');
    const isThere = rom?.startsWith(ROMS) === true && !rom.slice(ROMS.length).includes('/');
    if (rom !== null && !isThere)
      dropList.add(`[${section}] romfile`, `Proxmox wants it in ${ROMS}: copy it there`);
    const bar = source.said(section, 'rom-bar');
    const ids = Object.fromEntries(
      IDS.map((name) => {
        const id = source.said(section, name);
        return [name, id === null ? null : `0x${id.replace(/^0x/i, '')}`];
      }),
    );
    const values = {
      host,
      pcie: source.text('machine', 'type') === 'q35' ? 1 : null,
      'x-vga': source.yes(section, 'x-vga') ? 1 : null,
      rombar: bar === null ? null : bar === 'yes' ? 1 : 0,
      romfile: rom === null ? null : rom.slice(rom.lastIndexOf('/') + 1),
      ...ids,
    };
    options.set(key, properties(`[${section}]`, values, '', writing));
  }
}

/** Keys that say more than where the function is in the guest. */
function hasOwnKeys(label: string, source: ProfileSource): boolean {
  return source.keys(`device ${label}`).some((key) => !['slot', 'function', 'with'].includes(key));
}

export function readFunctions(reading: Reading): void {
  for (const passed of reading.conf.takeNumbered('hostpci', 'host')) readHostpci(passed, reading);
}

function readHostpci(passed: ProxmoxProperties, reading: Reading): void {
  const { draft, dropList, sections } = reading;
  const [host = '', ...alternatives] = (passed.take('host') ?? '').split(';');
  for (const other of alternatives)
    dropList.add(`${passed.key}, ${other}`, 'the profile names one function, not several to choose from');
  const mdev = passed.take('mdev');
  const mapping = passed.take('mapping');
  const addresses = mdev === null && mapping === null ? functionsOf(host, reading) : [];
  if (addresses.length === 0) {
    const why =
      mdev !== null
        ? 'make the mediated device yourself and name it by its UUID: [device LABEL] mdev'
        : 'name the function by its address';
    dropList.add(`${passed.key}: ${mdev ?? mapping ?? host}`, why);
    passed.dropRest(() => 'it belongs to that device');
    return;
  }
  const labels = addresses.map((address) => addDevice(address, null, reading.draft, reading.around));
  const section = `device ${labels[0]}`;
  sections.set(passed.key, section);
  const rom = passed.take('romfile');
  if (rom !== null) draft.put(section, 'romfile', `${ROMS}${rom}`);
  draft.putYes(section, 'x-vga', passed.takeSwitch('x-vga', false));
  if (passed.names().includes('rombar'))
    draft.put(section, 'rom-bar', passed.takeSwitch('rombar', true) ? 'yes' : 'no');
  for (const name of IDS)
    draft.put(section, name, passed.take(name)?.replace(/^0x/, '').toLowerCase() ?? null);
  const isExpress = passed.takeSwitch('pcie', false);
  const isQ35 = draft.get('machine', 'type') !== 'i440fx';
  if (isQ35 && !isExpress) dropList.add(`${passed.key} without pcie`, 'on q35 functions are PCI Express');
  passed.drop('legacy-igd', 'the profile has no key for it');
  passed.drop('driver', 'the function is bound to the VFIO driver that the kernel has for it');
  passed.dropRest(() => 'the profile has no key for it');
}

/** "01:00" is all functions of the card; where this host has none there, its first is named. */
function functionsOf(host: string, { around, dropList }: Reading): readonly PciAddress[] {
  const address = parsePciAddress(host);
  if (address !== null) return [address];
  const first = parsePciAddress(`${host}.0`);
  if (first === null) return [];
  const found = around.functionsOf(pciSlot(first));
  if (found.length === 0)
    dropList.add(
      `${host}, its other functions`,
      'there is no such card on this host now: name them in [devices]',
    );
  return found.length > 0 ? found : [first];
}
