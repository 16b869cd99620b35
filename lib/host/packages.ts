import type { Host } from './host.ts';

/** What of the system's packages matters for passthrough, by the beginning of their names. */
const OURS =
  /^(?:linux-image|linux|kernel|qemu|libvirt|virt-manager|virtinst|ovmf|edk2|seabios|swtpm|systemd|udev|nvidia|libnvidia|xserver-xorg|mesa|pve-|proxmox-|mdadm|lvm2|zfs|initramfs-tools|dracut|mkinitcpio|grub|shim|tuned|irqbalance|looking-glass)/;
const RPM_MS = 10_000;

/** Names and versions of these packages, sorted, "name version" each: by dpkg, rpm or pacman, whichever is there. */
export async function readPackages(host: Host): Promise<string[]> {
  const found = [
    ...parseDpkgStatus(host.readOptional('/var/lib/dpkg/status') ?? ''),
    ...host.list('/var/lib/pacman/local').flatMap(parsePacmanFolder),
    ...(host.exists('/usr/bin/rpm') && !host.exists('/var/lib/dpkg/status') ? await askRpm(host) : []),
  ];
  return [...new Set(found)].filter((line) => OURS.test(line)).sort();
}

/** Reads the installed ones out of dpkg's status file. */
export function parseDpkgStatus(text: string): string[] {
  return text.split('\n\n').flatMap((paragraph) => {
    const name = /^Package: (\S+)$/m.exec(paragraph)?.[1];
    const version = /^Version: (\S+)$/m.exec(paragraph)?.[1];
    const installed = /^Status: \S+ \S+ installed$/m.test(paragraph);
    return installed && name !== undefined && version !== undefined ? [`${name} ${version}`] : [];
  });
}

/** pacman keeps a folder for each package: "qemu-base-9.1.2-1". */
function parsePacmanFolder(folder: string): string[] {
  const match = /^(.+)-([^-]+-[^-]+)$/.exec(folder);
  return match === null ? [] : [`${match[1]} ${match[2]}`];
}

async function askRpm(host: Host): Promise<string[]> {
  try {
    const argv = ['/usr/bin/rpm', '-qa', '--qf', '%{NAME} %{VERSION}-%{RELEASE}\\n'];
    return (await host.run(argv, { timeoutMs: RPM_MS })).stdout.split('\n');
  } catch {
    return [];
  }
}
