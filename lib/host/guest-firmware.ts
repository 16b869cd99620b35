import type { Host } from './host.ts';

/** One firmware for guests and its template of variables: what a descriptor (docs/interop/firmware.json of QEMU) says, or a known pair. */
export interface FirmwareImage {
  /** Where it is known from, for people. */
  readonly source: string;
  readonly code: string;
  readonly codeFormat: 'raw' | 'qcow2';
  readonly template: string;
  readonly templateFormat: 'raw' | 'qcow2';
  /** Globs of machine types ("pc-q35-*"). */
  readonly machines: readonly string[];
  readonly features: readonly string[];
  readonly codeBytes: number;
  readonly templateBytes: number;
}

/** What a file of any format says, before it is known whether its images are there. */
type Described = Omit<FirmwareImage, 'codeBytes' | 'templateBytes'>;

const Q35 = 'pc-q35-*';
const BOTH = ['pc-i440fx-*', Q35];
const SECURE = ['secure-boot', 'requires-smm'];

/** Where Debian and Ubuntu, Arch, Fedora, openSUSE, Proxmox and NixOS have them, for hosts without descriptors; the best of a place first. */
const KNOWN: readonly (readonly [string, string, readonly string[]])[] = [
  ['/usr/share/OVMF/OVMF_CODE_4M.ms.fd', '/usr/share/OVMF/OVMF_VARS_4M.ms.fd', [...SECURE, 'enrolled-keys']],
  ['/usr/share/OVMF/OVMF_CODE_4M.secboot.fd', '/usr/share/OVMF/OVMF_VARS_4M.fd', SECURE],
  ['/usr/share/OVMF/OVMF_CODE_4M.fd', '/usr/share/OVMF/OVMF_VARS_4M.fd', []],
  ['/usr/share/OVMF/OVMF_CODE.secboot.fd', '/usr/share/OVMF/OVMF_VARS.fd', SECURE],
  ['/usr/share/OVMF/OVMF_CODE.fd', '/usr/share/OVMF/OVMF_VARS.fd', []],
  ['/usr/share/edk2/x64/OVMF_CODE.secboot.4m.fd', '/usr/share/edk2/x64/OVMF_VARS.4m.fd', SECURE],
  ['/usr/share/edk2/x64/OVMF_CODE.4m.fd', '/usr/share/edk2/x64/OVMF_VARS.4m.fd', []],
  ['/usr/share/edk2-ovmf/x64/OVMF_CODE.fd', '/usr/share/edk2-ovmf/x64/OVMF_VARS.fd', []],
  [
    '/usr/share/edk2/ovmf/OVMF_CODE_4M.secboot.qcow2',
    '/usr/share/edk2/ovmf/OVMF_VARS_4M.secboot.qcow2',
    [...SECURE, 'enrolled-keys'],
  ],
  ['/usr/share/edk2/ovmf/OVMF_CODE_4M.qcow2', '/usr/share/edk2/ovmf/OVMF_VARS_4M.qcow2', []],
  [
    '/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd',
    '/usr/share/edk2/ovmf/OVMF_VARS.secboot.fd',
    [...SECURE, 'enrolled-keys'],
  ],
  ['/usr/share/edk2/ovmf/OVMF_CODE.fd', '/usr/share/edk2/ovmf/OVMF_VARS.fd', []],
  [
    '/usr/share/qemu/ovmf-x86_64-smm-ms-code.bin',
    '/usr/share/qemu/ovmf-x86_64-smm-ms-vars.bin',
    [...SECURE, 'enrolled-keys'],
  ],
  ['/usr/share/qemu/ovmf-x86_64-4m-code.bin', '/usr/share/qemu/ovmf-x86_64-4m-vars.bin', []],
  ['/usr/share/qemu/ovmf-x86_64-code.bin', '/usr/share/qemu/ovmf-x86_64-vars.bin', []],
  [
    '/usr/share/pve-edk2-firmware/OVMF_CODE_4M.secboot.fd',
    '/usr/share/pve-edk2-firmware/OVMF_VARS_4M.fd',
    SECURE,
  ],
  ['/usr/share/pve-edk2-firmware/OVMF_CODE_4M.fd', '/usr/share/pve-edk2-firmware/OVMF_VARS_4M.fd', []],
  ['/run/libvirt/nix-ovmf/edk2-x86_64-secure-code.fd', '/run/libvirt/nix-ovmf/edk2-i386-vars.fd', SECURE],
  ['/run/libvirt/nix-ovmf/edk2-x86_64-code.fd', '/run/libvirt/nix-ovmf/edk2-i386-vars.fd', []],
  [
    '/run/current-system/sw/share/qemu/edk2-x86_64-code.fd',
    '/run/current-system/sw/share/qemu/edk2-i386-vars.fd',
    [],
  ],
  ['/usr/share/qemu/edk2-x86_64-code.fd', '/usr/share/qemu/edk2-i386-vars.fd', []],
];

/**
 * All x86 firmware with flash and variables, in the order of preference: descriptors by their file names, where a name in a later folder
 * hides that of an earlier one and an empty file hides it altogether (as libvirt does), then known pairs. Only what is there.
 */
export function readGuestFirmware(host: Host, userFolder: string | null): FirmwareImage[] {
  const folders = ['/usr/share/qemu/firmware', '/etc/qemu/firmware'];
  if (userFolder !== null) folders.push(`${userFolder}/qemu/firmware`);
  const byName = new Map<string, string>();
  for (const folder of folders)
    for (const name of host.list(folder)) if (name.endsWith('.json')) byName.set(name, `${folder}/${name}`);

  const described = [...byName]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, path]) => parseFirmwareDescriptor(host.readOptional(path) ?? '', path) ?? []);
  const known = KNOWN.map(
    ([code, template, features]): Described => ({
      source: 'the known place of a distribution',
      code,
      codeFormat: formatOf(code),
      template,
      templateFormat: formatOf(template),
      machines: features.includes('requires-smm') ? [Q35] : BOTH,
      features,
    }),
  );
  return [...described, ...known].flatMap((image) => {
    const code = host.stat(image.code, 'follow');
    const template = host.stat(image.template, 'follow');
    if (code?.kind !== 'file' || template?.kind !== 'file') return [];
    return [{ ...image, codeBytes: code.sizeBytes, templateBytes: template.sizeBytes }];
  });
}

/** A firmware's format by the ending of its name. */
export function formatOf(path: string): 'raw' | 'qcow2' {
  return path.endsWith('.qcow2') ? 'qcow2' : 'raw';
}

/** Reads one descriptor; null for what is no x86-64 UEFI in two flash images. */
export function parseFirmwareDescriptor(text: string, source: string): Described | null {
  const root = fieldsOf(tryJson(text));
  const mapping = fieldsOf(root.mapping);
  const executable = fieldsOf(mapping.executable);
  const template = fieldsOf(mapping['nvram-template']);
  const targets = listOf(root.targets)
    .map(fieldsOf)
    .filter(({ architecture }) => architecture === 'x86_64');
  const isUsable =
    listOf(root['interface-types']).includes('uefi') && mapping.device === 'flash' && targets.length > 0;
  const [code, variables] = [executable.filename, template.filename];
  if (!isUsable || !isPath(code) || !isPath(variables)) return null;
  return {
    source,
    code,
    codeFormat: executable.format === 'qcow2' ? 'qcow2' : 'raw',
    template: variables,
    templateFormat: template.format === 'qcow2' ? 'qcow2' : 'raw',
    machines: targets.flatMap(({ machines }) => listOf(machines).filter((one) => typeof one === 'string')),
    features: listOf(root.features).filter((one) => typeof one === 'string'),
  };
}

function isPath(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith('/') && !value.includes('\0');
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
