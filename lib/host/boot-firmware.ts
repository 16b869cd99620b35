import type { Seen } from '../words/seen.ts';
import type { Host } from './host.ts';
import { lookFor } from './look.ts';

/** The host's own firmware, what it lets the kernel do, and the firmware that guests can have. */
export interface BootFirmware {
  readonly uefi: boolean;
  readonly secureBoot: Seen<boolean>;
  /** "none", "integrity", "confidentiality". */
  readonly lockdown: string | null;
  /** /proc/sys/kernel/tainted, bit by bit (Documentation/admin-guide/tainted-kernels.rst). */
  readonly taint: Seen<number>;
  /** Whether the kernel loads only signed modules. */
  readonly signedModulesOnly: boolean | null;
  /** UEFI code images that are there. */
  readonly ovmf: readonly string[];
  readonly swtpm: boolean;
}

const SECURE_BOOT = '/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c';

/** Where distributions put the UEFI firmware for guests; QEMU's descriptors name it too (docs/interop/firmware.json). */
const KNOWN_OVMF = [
  '/usr/share/OVMF/OVMF_CODE_4M.fd',
  '/usr/share/OVMF/OVMF_CODE.fd',
  '/usr/share/edk2/x64/OVMF_CODE.4m.fd',
  '/usr/share/edk2-ovmf/x64/OVMF_CODE.fd',
  '/usr/share/edk2/ovmf/OVMF_CODE.fd',
  '/usr/share/edk2/ovmf/OVMF_CODE_4M.qcow2',
  '/usr/share/qemu/ovmf-x86_64-4m-code.bin',
  '/usr/share/qemu/ovmf-x86_64-code.bin',
  '/usr/share/pve-edk2-firmware/OVMF_CODE_4M.fd',
  '/run/libvirt/nix-ovmf/OVMF_CODE.fd',
  '/run/libvirt/nix-ovmf/edk2-x86_64-code.fd',
  '/usr/share/AAVMF/AAVMF_CODE.fd',
];
const DESCRIPTORS = ['/etc/qemu/firmware', '/usr/share/qemu/firmware'];

/** Reads it. */
export function readBootFirmware(host: Host): BootFirmware {
  const uefi = host.exists('/sys/firmware/efi');
  const taint = lookFor(host, '/proc/sys/kernel/tainted');
  const enforced = host.readOptional('/sys/module/module/parameters/sig_enforce');
  return {
    uefi,
    secureBoot: uefi ? readSecureBoot(host) : { value: false },
    lockdown: /\[(\w+)\]/.exec(host.readOptional('/sys/kernel/security/lockdown') ?? '')?.[1] ?? null,
    taint: 'unseen' in taint ? taint : parseTaint(taint.value),
    signedModulesOnly: enforced === null ? null : enforced === 'Y',
    ovmf: [...new Set([...describedOvmf(host), ...KNOWN_OVMF.filter((path) => host.exists(path))])],
    swtpm: ['/usr/bin/swtpm', '/usr/local/bin/swtpm', '/run/current-system/sw/bin/swtpm'].some((path) =>
      host.exists(path),
    ),
  };
}

/** The variable: four bytes of attributes, then 1 or 0 (UEFI specification, 3.3). */
function readSecureBoot(host: Host): Seen<boolean> {
  if (host.list('/sys/firmware/efi/efivars').length === 0)
    return { unseen: '/sys/firmware/efi/efivars is not mounted' };
  if (!host.exists(SECURE_BOOT)) return { value: false };
  try {
    const bytes = host.readBytes(SECURE_BOOT, 16);
    return bytes.length < 5 ? { unseen: `${SECURE_BOOT} is cut` } : { value: bytes[4] === 1 };
  } catch {
    return { unseen: `${SECURE_BOOT} cannot be read (EACCES)` };
  }
}

function parseTaint(text: string): Seen<number> {
  return /^\d{1,10}$/.test(text)
    ? { value: Number(text) }
    : { unseen: '/proc/sys/kernel/tainted is no number' };
}

/** The code images that descriptors name, as far as they are there. */
function describedOvmf(host: Host): string[] {
  const found = DESCRIPTORS.flatMap((folder) =>
    host
      .list(folder)
      .filter((name) => name.endsWith('.json'))
      .flatMap((name) => {
        const text = host.readOptional(`${folder}/${name}`) ?? '';
        return /"uefi"/.test(text)
          ? [/"executable"\s*:\s*\{[^}]*"filename"\s*:\s*"([^"]+)"/.exec(text)?.[1] ?? '']
          : [];
      }),
  );
  return found.filter((path) => path.startsWith('/') && host.exists(path));
}
