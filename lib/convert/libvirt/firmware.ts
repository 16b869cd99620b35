import type { Reading, Writing } from './parts.ts';
import type { XmlNode } from './xml-node.ts';
import { type XmlElement, xml } from './xml-writer.ts';

/** <os>: board, firmware, kernel, and whether SMBIOS is ours. */
export function writeOs({ source, dropList }: Writing): XmlElement {
  const board = source.text('machine', 'type') === 'i440fx' ? 'pc' : 'q35';
  const isUefi = source.text('firmware', 'type') === 'uefi';
  const said = (key: string) => source.said('firmware', key);
  const code = said('code');
  const isSecure = source.yes('firmware', 'secure-boot');
  const keysSaid = said('enrolled-keys');
  const keys = keysSaid ?? (isSecure ? 'yes' : null);
  if (code !== null && keysSaid !== null)
    dropList.add('[firmware] enrolled-keys', 'with code the template says which keys there are');
  const format = said('format');
  if (!isUefi)
    for (const key of ['enrolled-keys', 'format', 'vars', 'template'])
      if (said(key) !== null) dropList.add(`[firmware] ${key}`, 'SeaBIOS has none');
  const vars = isUefi ? said('vars') : null;
  const template = isUefi ? said('template') : null;
  const isAutomatic = isUefi && code === null;
  const features = [
    source.peek('firmware', 'secure-boot') === null
      ? null
      : xml('feature', { enabled: isSecure ? 'yes' : 'no', name: 'secure-boot' }),
    keys === null ? null : xml('feature', { enabled: keys, name: 'enrolled-keys' }),
  ].filter((one) => one !== null);
  const smbios = source.yes('smbios', 'host') ? 'host' : source.keys('smbios').length > 0 ? 'sysinfo' : null;
  return xml('os', { firmware: isAutomatic ? 'efi' : null }, [
    xml('type', { arch: 'x86_64', machine: board }, 'hvm'),
    isAutomatic && features.length > 0 ? xml('firmware', {}, features) : null,
    code === null
      ? null
      : isUefi
        ? xml(
            'loader',
            {
              readonly: 'yes',
              secure: isSecure ? 'yes' : null,
              type: 'pflash',
              format: format === 'qcow2' ? format : null,
            },
            code,
          )
        : xml('loader', { type: 'rom' }, code),
    vars === null && template === null ? null : nvram(template, vars, format),
    ...(['kernel', 'initrd'] as const).map((key) => textElement(key, source.said('machine', key))),
    textElement('cmdline', source.said('machine', 'kernel-arguments')),
    source.yes('machine', 'boot-menu') ? xml('bootmenu', { enable: 'yes' }) : null,
    smbios === null ? null : xml('smbios', { mode: smbios }),
  ]);
}

function nvram(template: string | null, vars: string | null, format: string | null): XmlElement {
  return xml('nvram', { template, format: format === 'qcow2' ? format : null }, vars ?? []);
}

function textElement(name: string, text: string | null): XmlElement | null {
  return text === null ? null : xml(name, {}, text);
}

/** <sysinfo type='smbios'>: each key of [smbios] by block and entry of libvirt. */
const SMBIOS: readonly (readonly [string, string, string])[] = [
  ['bios-vendor', 'bios', 'vendor'],
  ['bios-version', 'bios', 'version'],
  ['bios-date', 'bios', 'date'],
  ['manufacturer', 'system', 'manufacturer'],
  ['product', 'system', 'product'],
  ['version', 'system', 'version'],
  ['serial', 'system', 'serial'],
  ['sku', 'system', 'sku'],
  ['family', 'system', 'family'],
  ['board-manufacturer', 'baseBoard', 'manufacturer'],
  ['board-product', 'baseBoard', 'product'],
  ['board-version', 'baseBoard', 'version'],
  ['board-serial', 'baseBoard', 'serial'],
];

/** What the guest reads of its maker; with smbios host = yes libvirt takes nothing else. */
export function writeSysinfo({ source, dropList }: Writing): XmlElement | null {
  const entries = SMBIOS.map(([key, block, name]) => ({
    key,
    block,
    name,
    text: source.said('smbios', key),
  })).filter(({ text }) => text !== null);
  if (entries.length === 0) return null;
  if (source.yes('smbios', 'host')) {
    for (const { key } of entries)
      dropList.add(`[smbios] ${key}`, 'with host = yes libvirt takes all from the host');
    return null;
  }
  const blocks = [...new Set(entries.map(({ block }) => block))];
  return xml(
    'sysinfo',
    { type: 'smbios' },
    blocks.map((block) =>
      xml(
        block,
        {},
        entries.filter((one) => one.block === block).map(({ name, text }) => xml('entry', { name }, text!)),
      ),
    ),
  );
}

export function readOs({ root, draft, dropList, domain }: Reading): void {
  const os = root.one('os');
  const type = os?.one('type') ?? null;
  const machine = type?.attribute('machine') ?? 'q35';
  const board = /^(?:pc-)?q35(?:-|$)/.test(machine)
    ? 'q35'
    : /^pc(?:-i440fx.*)?$/.test(machine)
      ? 'i440fx'
      : null;
  if (board === null)
    dropList.add(`${type?.path ?? '/domain/os/type'}/@machine=${machine}`, 'boards are q35 and i440fx');
  else {
    draft.put('machine', 'type', board);
    if (/-\d/.test(machine))
      dropList.add(
        `${type!.path}/@machine=${machine}`,
        'the newest version of the board that QEMU has is taken',
      );
  }
  const arch = type?.attribute('arch') ?? 'x86_64';
  if (arch !== 'x86_64') dropList.add(`${type!.path}/@arch=${arch}`, 'guests are x86_64');
  type?.settle();

  const loader = os?.one('loader') ?? null;
  const isAutomatic = os?.attribute('firmware') === 'efi';
  const code = loader?.text() ?? '';
  const kind = loader?.attribute('type') ?? null;
  const isUefi = isAutomatic || (loader !== null && kind !== 'rom');
  draft.put('firmware', 'type', isUefi ? 'uefi' : 'bios');
  for (const feature of os?.one('firmware')?.all('feature') ?? []) {
    const name = feature.attribute('name');
    const enabled = feature.attribute('enabled');
    if (name === 'secure-boot' && enabled !== null) draft.put('firmware', 'secure-boot', enabled);
    else if (name === 'enrolled-keys')
      draft.put(
        'firmware',
        'enrolled-keys',
        enabled,
        draft.get('firmware', 'secure-boot') === 'yes' ? 'yes' : null,
      );
    else dropList.add(`${feature.path} (${name ?? ''})`, 'the profile knows secure-boot and enrolled-keys');
  }
  if (isAutomatic) {
    if (loader?.attribute('secure') === 'yes') draft.put('firmware', 'secure-boot', 'yes');
    loader?.settle();
    if (code !== '')
      dropList.add(
        `/domain/os/loader: ${code}`,
        'the image is found anew by the descriptors of the distribution',
      );
  } else if (loader !== null) {
    draft.put('firmware', 'code', code === '' ? null : code);
    if (loader.attribute('secure') === 'yes') draft.put('firmware', 'secure-boot', 'yes');
    draft.put('firmware', 'format', loader.attribute('format'), 'raw');
    for (const name of ['readonly', 'stateless']) loader.attribute(name);
  }
  readNvram(os?.one('nvram') ?? null, isAutomatic, { draft });
  for (const [name, key] of [
    ['kernel', 'kernel'],
    ['initrd', 'initrd'],
    ['cmdline', 'kernel-arguments'],
  ] as const)
    draft.put('machine', key, os?.one(name)?.text() || null);
  if (os?.one('bootmenu')?.attribute('enable') === 'yes') draft.put('machine', 'boot-menu', 'yes');
  readSmbios({ root, draft, dropList, domain });
  for (const boot of os?.all('boot') ?? [])
    dropList.add(
      `${boot.path}/@dev=${boot.attribute('dev') ?? ''}`,
      'each disk and card has its own place in the boot order',
    );
}

function readNvram(nvram: XmlNode | null, isAutomatic: boolean, { draft }: Pick<Reading, 'draft'>): void {
  if (nvram === null) return;
  draft.put('firmware', 'vars', nvram.text() || null);
  const template = nvram.attribute('template');
  if (!isAutomatic) draft.put('firmware', 'template', template);
  if (nvram.attribute('format') === 'qcow2') draft.put('firmware', 'format', 'qcow2');
  for (const name of ['type', 'templateFormat']) nvram.attribute(name);
}

function readSmbios({ root, draft }: Pick<Reading, 'root' | 'draft' | 'dropList' | 'domain'>): void {
  const mode = root.one('os')?.one('smbios')?.attribute('mode') ?? null;
  if (mode === 'host') draft.put('smbios', 'host', 'yes');
  for (const sysinfo of root.all('sysinfo').filter((one) => one.attribute('type') === 'smbios')) {
    for (const [key, block, name] of SMBIOS) {
      const entry = sysinfo
        .one(block)
        ?.all('entry')
        .find((one) => one.attribute('name') === name);
      if (entry !== undefined && mode === 'sysinfo') draft.put('smbios', key, entry.text() || null);
    }
  }
}
