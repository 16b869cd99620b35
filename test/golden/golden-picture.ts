import { readFileSync } from 'node:fs';
import type { FirmwareImage } from '../../lib/host/guest-firmware.ts';
import type { PathFacts } from '../../lib/host/host.ts';
import type { QemuCapabilities, RunPicture } from '../../lib/host/run-picture.ts';
import type { WholeProfile } from '../../lib/inputs/run-profile.ts';

/** A QEMU that has everything that profiles can ask for (qemu.json). */
export function goldenQemu(): QemuCapabilities {
  const kept = JSON.parse(readFileSync(new URL('./qemu.json', import.meta.url), 'utf8'));
  return {
    path: '/usr/bin/qemu-system-x86_64',
    version: kept.version,
    devices: new Set(kept.devices),
    objects: new Set(kept.objects),
    machineProperties: new Map(
      Object.entries<string[]>(kept.machineProperties).map(([name, list]) => [name, new Set(list)]),
    ),
    vfioProperties: new Set(kept.vfioProperties),
    audioDrivers: new Set(kept.audioDrivers),
    displays: new Set(kept.displays),
    netdevs: new Set(kept.netdevs),
    accelerators: new Set(kept.accelerators),
    options: new Set(kept.options),
  };
}

const OVMF = '/usr/share/OVMF';
const BOTH = ['pc-i440fx-*', 'pc-q35-*'];

/** Debian's, in its order. */
export const DEBIAN_FIRMWARE: readonly FirmwareImage[] = [
  image('_4M.ms', '_4M.ms', ['pc-q35-*'], ['enrolled-keys', 'requires-smm', 'secure-boot']),
  image('_4M.secboot', '_4M', ['pc-q35-*'], ['requires-smm', 'secure-boot']),
  image('_4M', '_4M', BOTH, []),
];

function image(
  code: string,
  template: string,
  machines: readonly string[],
  features: readonly string[],
): FirmwareImage {
  return {
    source: 'a descriptor',
    code: `${OVMF}/OVMF_CODE${code}.fd`,
    codeFormat: 'raw',
    template: `${OVMF}/OVMF_VARS${template}.fd`,
    templateFormat: 'raw',
    machines,
    features,
    codeBytes: 3_653_632,
    templateBytes: 540_672,
  };
}

/** A host where all that the profile names is there and is what it must be. */
export function goldenPicture({ host, run }: WholeProfile): RunPicture {
  const files = new Map<string, PathFacts | null>();
  const put = (kind: PathFacts['kind'], ...paths: (string | null)[]) => {
    for (const path of paths) if (path !== null) files.set(path, facts(kind));
  };
  for (const { source } of run.disks) put(source?.startsWith('/dev/') === true ? 'block' : 'file', source);
  put('file', run.machine.kernel, run.machine.initrd, run.firmware.code, run.firmware.template);
  for (const { romfile } of run.devices) put('file', romfile);
  for (const { file } of run.fwCfg) put('file', file);
  for (const { source } of run.shares) put('folder', source);
  for (const { mdev } of run.devices) if (mdev !== null) put('folder', `/sys/bus/mdev/devices/${mdev}`);
  for (const { path } of run.inputs) put('character', path);
  put('character', run.display.renderNode, '/dev/kvmfr0', '/dev/tpm0', run.tpm.path);
  return {
    isRoot: true,
    kvm: 'usable',
    vhostNet: true,
    processorVendor: 'amd',
    onlineCpus: Array.from({ length: 16 }, (_, cpu) => cpu),
    files,
    realPaths: new Map(),
    functions: new Map(
      host.devices.requests.map(({ label, selector }) => [
        label,
        selector.by === 'address' ? { address: selector.address, isVirtual: false } : null,
      ]),
    ),
    iommufd: true,
    portsInUse: new Set(),
    running: [],
    busyDisks: new Set(),
    firmware: DEBIAN_FIRMWARE,
    variables: {
      path: run.firmware.vars ?? `/var/lib/passqemu/${run.guest}/vars.fd`,
      exists: false,
      copiedFrom: null,
    },
    templateDigests: new Map(),
    interfaces: new Map(
      run.networks.flatMap(({ type, bridge, interface: name }, index) => {
        const device = bridge ?? name;
        const kinds = { index: index + 7, isBridge: type === 'bridge', isTap: type === 'tap' };
        return device === null ? [] : [[device, kinds] as const];
      }),
    ),
    user: run.machine.user === null ? null : { name: run.machine.user, uid: 65_534, gid: 65_534 },
    programs: {
      swtpm: '/usr/bin/swtpm',
      swtpmSetup: '/usr/bin/swtpm_setup',
      virtiofsd: { path: '/usr/libexec/virtiofsd', kind: 'rust' },
      bridgeHelper: '/usr/lib/qemu/qemu-bridge-helper',
    },
    dmi: new Map([['sys_vendor', 'Host Maker, Inc.']]),
    hugetlbfs: new Map([[2048, '/tmp/passqemu-golden/hugepages']]),
    runFolder: `/run/passqemu/run/${run.guest}`,
    dataFolder: `/var/lib/passqemu/${run.guest}`,
    runtimeFolder: '/run/user/1000',
  };
}

/** Facts of a path that is there. */
export function facts(kind: PathFacts['kind']): PathFacts {
  return { kind, mode: 0o600, uid: 0, gid: 0, sizeBytes: 1 << 20, rdev: null, changedMs: 0, device: '8:1' };
}
