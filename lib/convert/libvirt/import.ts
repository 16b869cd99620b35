import { parseDomain } from '../../inputs/domain-xml.ts';
import { DropList } from '../dropped.ts';
import { finishImport, type Imported, type ImportHost } from '../imported.ts';
import { ProfileDraft } from '../profile-draft.ts';
import { readChannels } from './channels.ts';
import { readDisks } from './disks.ts';
import { readDisplay } from './display.ts';
import { readOs } from './firmware.ts';
import { readHostKeys } from './host-keys.ts';
import { readMachine } from './machine.ts';
import { readNetworks } from './networks.ts';
import type { Reading } from './parts.ts';
import { readPlacement } from './placement.ts';
import { readFunctions } from './read-functions.ts';
import { readSound } from './sound.ts';
import { readInputs, readUsb } from './usb-and-input.ts';
import { XmlNode } from './xml-node.ts';

/** Makes a profile from a libvirt domain. What nobody has read of it is listed as dropped; a text that is no domain is a DomainError. */
export function importDomain(text: string, around: ImportHost): Imported {
  const domain = parseDomain(text);
  const root = XmlNode.parse(text);
  const dropList = new DropList();
  const draft = new ProfileDraft(dropList);
  const reading: Reading = { root, devices: root.one('devices'), domain, draft, dropList, around };
  readHostKeys(reading);
  readOs(reading);
  readMachine(reading);
  readFunctions(reading);
  readPlacement(reading);
  readDisks(reading);
  readNetworks(reading);
  readUsb(reading);
  readInputs(reading);
  readDisplay(reading);
  readSound(reading);
  readChannels(reading);
  readEmulator(reading);
  settleOwn(reading);
  for (const what of root.unread()) dropList.add(what, 'the profile has no key for it');
  return finishImport(domain.name, draft, dropList);
}

function readEmulator({ devices, draft }: Reading): void {
  const emulator = devices?.one('emulator')?.text() ?? '';
  // What distributions call it is found anyway
  if (emulator !== '') draft.put('machine', 'qemu', emulator, '/usr/bin/qemu-system-x86_64');
}

/** What libvirt writes down of its own doing and a guest does not see: the places of bridges, and its own numbers. */
function settleOwn({ root, devices }: Reading): void {
  for (const name of ['id', 'type']) root.attribute(name);
  for (const controller of devices?.all('controller') ?? []) {
    const type = controller.attribute('type') ?? '';
    if (type === 'pci' || type === 'virtio-serial') controller.settle();
  }
}
