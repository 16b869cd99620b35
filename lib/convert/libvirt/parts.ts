import type { Domain } from '../../inputs/domain.ts';
import type { PciAddress } from '../../words/pci-address.ts';
import type { DropList } from '../dropped.ts';
import type { ImportHost } from '../imported.ts';
import type { ProfileDraft } from '../profile-draft.ts';
import { labelOf, type ProfileSource } from '../profile-source.ts';
import type { XmlNode } from './xml-node.ts';
import { type XmlElement, xml } from './xml-writer.ts';

/** A domain on its way into a profile. */
export interface Reading {
  readonly root: XmlNode;
  readonly devices: XmlNode | null;
  /** What the hook's own reader makes of it. */
  readonly domain: Domain;
  readonly draft: ProfileDraft;
  readonly dropList: DropList;
  readonly around: ImportHost;
}

/** A profile on its way into a domain. */
export interface Writing {
  readonly source: ProfileSource;
  readonly dropList: DropList;
  /** The function behind each label of [devices]; a label that fits no single function of this host is not in it. */
  readonly functions: ReadonlyMap<string, PciAddress>;
}

/** The label of a section as an alias of the user's ("ua-…"), the only name of a device that libvirt keeps; null where it takes none of that form. */
export function aliasElement(section: string, { dropList }: Writing): XmlElement | null {
  const kind = section.split(' ')[0]!;
  const label = labelOf(section);
  if (/^[A-Za-z0-9_-]+$/.test(label)) return xml('alias', { name: `ua-${kind}-${label}` });
  dropList.add(`[${section}], its label`, 'libvirt has letters, digits, - and _ in an alias');
  return null;
}

/** The section that an element becomes: by our own alias, else with a label of this kind that is free. */
export function sectionOf(
  element: XmlNode,
  kind: string,
  { draft }: Reading,
  proposed: string = kind,
): string {
  const alias = element.one('alias')?.attribute('name') ?? '';
  const label = new RegExp(`^ua-${kind}-([A-Za-z0-9][A-Za-z0-9_-]{0,63})$`).exec(alias)?.[1];
  return `${kind} ${draft.freeLabel(kind, label ?? proposed)}`;
}

/** <boot order=''>, from 1 on, for a place in the boot order that begins at 0. */
export function bootElement(section: string, { source }: Writing): XmlElement | null {
  const boot = source.number(section, 'boot');
  return boot === null ? null : xml('boot', { order: boot + 1 });
}

export function readBoot(element: XmlNode, section: string, { draft }: Reading): void {
  const order = element.one('boot')?.attribute('order') ?? null;
  if (order !== null) draft.put(section, 'boot', Number(order) - 1);
}

/** An address on the root bus for devices with a slot of their own. */
export function slotElement(section: string, { source }: Writing): XmlElement | null {
  const slot = source.number(section, 'slot');
  if (slot === null) return null;
  return xml('address', { type: 'pci', domain: '0x0000', bus: '0x00', slot: hex(slot), function: '0x0' });
}

/** The slot of a device with an alias of ours that stands on the root bus; other places are made anew. */
export function readSlot(element: XmlNode, section: string, { draft, dropList }: Reading): void {
  const address = element.one('address');
  if (address === null) return;
  const at = (part: string) => Number(address.attribute(part) ?? '0');
  const isOurs = element.one('alias')?.attribute('name')?.startsWith('ua-') === true;
  if (
    isOurs &&
    address.attribute('type') === 'pci' &&
    at('bus') === 0 &&
    at('function') === 0 &&
    at('slot') > 0
  )
    draft.put(section, 'slot', at('slot'));
  else dropList.add('places of devices in the guest', 'passqemu places them itself');
  address.settle();
}

/** "0x1f" */
export function hex(value: number): string {
  return `0x${value.toString(16).padStart(2, '0')}`;
}

/** on and off, as most of libvirt writes a switch. */
export function onOff(is: boolean): string {
  return is ? 'on' : 'off';
}
