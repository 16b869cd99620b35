import { guestNameProblem } from '../../inputs/hook-call.ts';
import { DropList } from '../dropped.ts';
import { finishImport, type Imported, type ImportHost } from '../imported.ts';
import { ProfileDraft } from '../profile-draft.ts';
import { ProxmoxConf } from './conf.ts';
import { readDisks } from './disks.ts';
import { readFirmware } from './firmware.ts';
import { readFunctions } from './functions.ts';
import { readMachine } from './machine.ts';
import { readNetworks } from './networks.ts';
import type { Reading } from './parts.ts';
import { readPeripherals } from './peripherals.ts';
import type { ProxmoxStorage } from './storage.ts';

/** Makes a profile from a Proxmox VE configuration (qm.conf(5)); what it cannot hold is listed. A text that is none is a DomainError. */
export function importProxmox(
  text: string,
  around: ImportHost,
  { storages, fallbackName }: { readonly storages: readonly ProxmoxStorage[]; readonly fallbackName: string },
): Imported {
  const dropList = new DropList();
  const conf = new ProxmoxConf(text, dropList);
  const draft = new ProfileDraft(dropList);
  const reading: Reading = { conf, draft, dropList, around, storages, sections: new Map() };
  const name = conf.take('name') ?? fallbackName;
  readMachine(reading);
  readFirmware(reading, name);
  readFunctions(reading);
  readDisks(reading);
  readNetworks(reading);
  readPeripherals(reading);
  readBoot(reading);
  conf.dropRest(whyNot);
  return finishImport(guestNameProblem(name) === null ? name : 'guest', draft, dropList);
}

/** boot: order=scsi0;net0, or bootdisk, which is older. */
function readBoot({ conf, draft, dropList, sections }: Reading): void {
  const boot = conf.takeProperties('boot', 'legacy');
  const bootdisk = conf.take('bootdisk');
  const order = (boot?.take('order') ?? (bootdisk === null ? '' : bootdisk))
    .split(/[; ]/)
    .filter((key) => key !== '');
  let place = 0;
  for (const key of order) {
    const section = sections.get(key);
    if (section === undefined) dropList.add(`boot, ${key}`, 'it is not among what was carried over');
    else draft.put(section, 'boot', place++);
  }
  const legacy = boot?.take('legacy') ?? null;
  if (legacy !== null && order.length === 0)
    dropList.add(`boot: ${legacy}`, 'each disk and card has its own place in the boot order');
}

const OWN =
  /^(onboot|startup|tags|protection|lock|template|vmgenid|vmstate.*|digest|meta|parent|snaptime|hookscript|ci.*|sshkeys|ipconfig\d+|nameserver|searchdomain|autostart|hotplug|migrate_.*|numatune|runningmachine|runningcpu)$/;

function whyNot(key: string): string {
  return OWN.test(key) ? 'it is for Proxmox’ own management' : 'the profile has no key for it';
}
