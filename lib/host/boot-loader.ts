import type { Host } from './host.ts';

/** Who starts the kernel, and so where its command line is written; "unknown" where nothing tells. */
export type BootLoader =
  | 'grub'
  | 'systemd-boot'
  | 'kernelstub'
  | 'refind'
  | 'limine'
  | 'proxmox-boot-tool'
  | 'unknown';

/** The boot loader interface of systemd (systemd.io/BOOT_LOADER_INTERFACE): an EFI variable with the loader's name. */
const LOADER_INFO = '/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f';
const NAMES: readonly (readonly [RegExp, BootLoader])[] = [
  [/^systemd-boot/i, 'systemd-boot'],
  [/^limine/i, 'limine'],
  [/^refind/i, 'refind'],
  [/^grub/i, 'grub'],
];
/** Their own files, the more telling first: a machine may have those of a loader that it does not use any more. */
const FILES: readonly (readonly [string, BootLoader])[] = [
  ['/boot/refind_linux.conf', 'refind'],
  ['/etc/default/limine', 'limine'],
  ['/boot/limine.conf', 'limine'],
  ['/boot/limine/limine.conf', 'limine'],
  ['/etc/default/grub', 'grub'],
  ['/boot/grub/grub.cfg', 'grub'],
  ['/boot/grub2/grub.cfg', 'grub'],
  ['/boot/loader/loader.conf', 'systemd-boot'],
  ['/boot/efi/loader/loader.conf', 'systemd-boot'],
  ['/efi/loader/loader.conf', 'systemd-boot'],
];

/** Finds the boot loader: by a tool that keeps its configuration, by what it told systemd, else by its files. */
export function readBootLoader(host: Host): BootLoader {
  if (host.exists('/etc/kernel/proxmox-boot-uuids')) return 'proxmox-boot-tool';
  const told = readLoaderInfo(host);
  const named = NAMES.find(([pattern]) => pattern.test(told))?.[1];
  const loader = named ?? FILES.find(([path]) => host.exists(path))?.[1] ?? 'unknown';
  // Pop!_OS keeps the entries of systemd-boot by a tool of its own
  return loader === 'systemd-boot' && host.exists('/usr/bin/kernelstub') ? 'kernelstub' : loader;
}

/** The variable: four bytes of attributes, then UTF-16. */
function readLoaderInfo(host: Host): string {
  try {
    return host.readBytes(LOADER_INFO, 512).subarray(4).toString('utf16le').replaceAll('\0', '').trim();
  } catch {
    return '';
  }
}
