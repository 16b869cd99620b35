import { properties, type Reading, type Writing } from './parts.ts';
import { volumeOf, volumePath } from './storage.ts';

/** Keys of [smbios] that Proxmox has too. */
const SMBIOS = ['manufacturer', 'product', 'version', 'serial', 'sku', 'family'] as const;

export function writeFirmware(writing: Writing, usualUuid: string): void {
  const { source, dropList, options, storages, storage } = writing;
  if (source.text('firmware', 'type') === 'uefi') {
    options.set('bios', 'ovmf');
    const isSecure = source.yes('firmware', 'secure-boot');
    const hasKeys = source.yes('firmware', 'enrolled-keys', isSecure);
    if (isSecure && !hasKeys)
      dropList.add('[firmware] secure-boot, enrolled-keys', 'Proxmox switches it on with the keys only');
    if (hasKeys && !isSecure)
      dropList.add('[firmware] enrolled-keys', 'Proxmox has the keys with Secure Boot only');
    const vars = source.said('firmware', 'vars');
    const file = vars !== null ? volumeOf(vars, storages) : storage === null ? null : `${storage}:1`;
    const values = { file, efitype: '4m', 'pre-enrolled-keys': isSecure && hasKeys ? 1 : 0 };
    if (file === null)
      dropList.add(
        '[firmware] the guest’s variables',
        'Proxmox must have a disk for them: --storage NAME says on which storage it is made',
      );
    else options.set('efidisk0', properties('[firmware]', values, 'file', writing));
  }
  if (source.text('tpm', 'type') === 'swtpm') {
    if (storage === null)
      dropList.add(
        '[tpm] type = swtpm',
        'Proxmox must have a disk for its state: --storage NAME says on which storage it is made',
      );
    else options.set('tpmstate0', `${storage}:1,version=v2.0`);
    if (source.said('tpm', 'state') !== null)
      dropList.add('[tpm] state', 'Proxmox keeps the state on a disk of its own');
    if (source.text('tpm', 'model') !== 'crb') dropList.add('[tpm] model', 'Proxmox chooses it');
  } else if (source.text('tpm', 'type') === 'host')
    dropList.add('[tpm] type = host', 'Proxmox has swtpm only');
  const uuid = source.said('machine', 'uuid') ?? usualUuid;
  const texts = SMBIOS.map((key) => [key, source.said('smbios', key)] as const).filter(
    ([, text]) => text !== null,
  );
  const values = Object.fromEntries(texts.map(([key, text]) => [key, Buffer.from(text!).toString('base64')]));
  options.set(
    'smbios1',
    properties('[smbios]', { uuid, ...values, base64: texts.length > 0 ? 1 : null }, '', writing),
  );
}

export function readFirmware({ conf, draft, dropList, storages, around }: Reading, guest: string): void {
  const isUefi = conf.take('bios') === 'ovmf';
  draft.put('firmware', 'type', isUefi ? 'uefi' : 'bios');
  const disk = conf.takeProperties('efidisk0', 'file');
  if (disk !== null && isUefi) {
    const volume = disk.take('file') ?? '';
    const path = isNew(volume) ? null : volumePath(volume, storages);
    draft.put('firmware', 'vars', path);
    if (path === null && !isNew(volume))
      dropList.add(
        `efidisk0: ${volume}`,
        'where the volume is on the host is not known; new variables are made',
      );
    draft.putYes('firmware', 'secure-boot', disk.takeSwitch('pre-enrolled-keys', false));
    if (disk.take('efitype') === '2m')
      dropList.add(
        'efidisk0, efitype=2m',
        'the variables must fit the image that is found, which is 4 MiB today',
      );
    for (const name of ['size', 'format', 'ms-cert']) disk.take(name);
    disk.dropRest(() => 'the profile has no key for it');
  } else if (disk !== null) dropList.add('efidisk0', 'the firmware is SeaBIOS');
  const tpm = conf.takeProperties('tpmstate0', 'file');
  if (tpm !== null) {
    draft.put('tpm', 'type', 'swtpm');
    if ((tpm.take('version') ?? 'v1.2') !== 'v2.0') dropList.add('tpmstate0, version', 'the TPM is 2.0');
    const volume = tpm.take('file') ?? '';
    if (!isNew(volume))
      dropList.add(`tpmstate0: ${volume}`, 'swtpm begins anew: what the guest has stored is on that disk');
  }
  const smbios = conf.takeProperties('smbios1', 'uuid');
  draft.put('machine', 'uuid', smbios?.take('uuid')?.toLowerCase() ?? null, around.usualUuid(guest));
  const isBase64 = smbios?.takeSwitch('base64', false) ?? false;
  for (const key of SMBIOS) {
    const text = smbios?.take(key) ?? null;
    draft.put('smbios', key, text !== null && isBase64 ? Buffer.from(text, 'base64').toString('utf8') : text);
  }
  smbios?.dropRest(() => 'the profile has no key for it');
}

/** "local-lvm:1": a disk of that many GiB, to be made by the command. */
function isNew(volume: string): boolean {
  return /^[^:/]+:\d+(\.\d+)?$/.test(volume);
}
