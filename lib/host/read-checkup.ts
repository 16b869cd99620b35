import { comparePciAddresses, type PciAddress, parsePciAddress } from '../words/pci-address.ts';
import { isUnseen, mapSeen, type Seen } from '../words/seen.ts';
import { readBootFirmware } from './boot-firmware.ts';
import { readBootLoader } from './boot-loader.ts';
import { hasCpusetController, readCgroupMode } from './cgroups.ts';
import type { Checkup, VfioInterrupt } from './checkup.ts';
import { readCpuRivals } from './cpu-rivals.ts';
import { listPolicies, readPolicy } from './cpufreq.ts';
import { readDistribution } from './distribution.ts';
import { readBootFramebuffers, readDisplayCards, readXorg } from './graphics.ts';
import { type GuestWishes, readGuestSurroundings } from './guest-checkup.ts';
import type { Host } from './host.ts';
import { readInhibitSupport } from './inhibitors.ts';
import { readInitramfsHas } from './initramfs.ts';
import { readIommuGroup } from './iommu.ts';
import { readIommuFacts } from './iommu-facts.ts';
import { readKernelLog } from './kernel-log.ts';
import { parseKernelParameters, wordsOf } from './kernel-parameters.ts';
import { KNOB_PATHS } from './knobs.ts';
import { readLibvirtFacts } from './libvirt-facts.ts';
import { lookFor } from './look.ts';
import { readMemoryPicture } from './memory.ts';
import { readMemoryHealth } from './memory-health.ts';
import { readModprobeConfig } from './modprobe-config.ts';
import { readPciNames } from './pci-names.ts';
import { listPciAddresses, readPciTree } from './pci-tree.ts';
import { findBlockedWriters, readProcesses } from './process-list.ts';
import { readProcessor } from './processor.ts';
import { readSetting } from './settings.ts';
import { isSystemd } from './systemd.ts';
import { readTopology } from './topology.ts';
import { readVirtualization } from './virtualization.ts';

/** What the caller knows beside the host. */
export interface CheckupInput {
  readonly isRoot: boolean;
  /** Functions that a hanging write of ours holds. */
  readonly wedged: ReadonlySet<PciAddress>;
  readonly configDir: string;
  readonly guest:
    | (Omit<GuestWishes, 'refusals' | 'run'> & {
        plan(): GuestWishes['refusals'];
        planRun(): Promise<GuestWishes['run']>;
      })
    | null;
}

/** Reads the whole picture. Changes nothing, and asks nothing that a wedged device would leave unanswered. */
export async function readCheckup(host: Host, input: CheckupInput): Promise<Checkup> {
  const processes = readProcesses(host);
  const blocked = findBlockedWriters(host, processes);
  const addresses = listPciAddresses(host);
  const overridesRead = blocked.length === 0;
  const tree = readPciTree(host, overridesRead ? input.wedged : new Set(addresses));
  const parameters = mapSeen(lookFor(host, '/proc/cmdline'), parseKernelParameters);
  const modprobe = readModprobeConfig(host);
  const names = readPciNames(host, tree.values());
  const groups = [...new Set([...tree.values()].map(({ group }) => group).filter((group) => group !== null))];
  const claims =
    modprobe.some(
      (line) => line.command === 'options' && line.module === 'vfio_pci' && 'ids' in line.options,
    ) ||
    (!isUnseen(parameters) && wordsOf(parameters.value, 'vfio_pci.ids').length > 0);
  return {
    isRoot: input.isRoot,
    isRecorded: host.root !== '/',
    lacksNodes: host.root !== '/' && !host.exists('/.passqemu'),
    distribution: readDistribution(host),
    bootLoader: readBootLoader(host),
    parameters,
    log: readKernelLog(host),
    modprobe,
    processes,
    blocked,
    processor: readProcessor(host),
    iommu: readIommuFacts(host),
    functions: tree.size > 0 ? { value: tree } : { unseen: '/sys/bus/pci/devices lists nothing' },
    overridesRead,
    groups: new Map(groups.map((group) => [group, readIommuGroup(host, group)])),
    names: new Map([...tree.values()].flatMap((fn) => nameOf(fn.address, names(fn)))),
    cards: readDisplayCards(host, tree.values()),
    bootFramebuffers: readBootFramebuffers(host),
    xorg: readXorg(host),
    vfioNode: host.stat('/dev/vfio/vfio'),
    initramfsHasVfio: claims ? readInitramfsHas(host, 'vfio-pci') : null,
    vfioInterrupts: readVfioInterrupts(host),
    firmware: readBootFirmware(host),
    virtualization: readVirtualization(host),
    libvirt: await readLibvirtFacts(host, processes, input.isRoot),
    memory: readMemoryPicture(host),
    memoryHealth: readMemoryHealth(host),
    topology: readTopology(host),
    policies: listPolicies(host).map((name) => readPolicy(host, name)),
    cgroupMode: readCgroupMode(host),
    hasCpuset: hasCpusetController(host),
    cpuRivals: readCpuRivals(host),
    hasSystemd: isSystemd(host),
    canInhibitSleep: readInhibitSupport(host),
    rtRuntimeUs: readSetting(host, KNOB_PATHS.rtRuntimeUs),
    aspmPolicy: readSetting(host, '/sys/module/pcie_aspm/parameters/policy'),
    profiles: host
      .list(input.configDir)
      .filter((name) => name.endsWith('.ini'))
      .map((name) => name.slice(0, -4)),
    guest: input.guest === null ? null : await readGuest(host, input.guest, input.isRoot, blocked.length > 0),
  };
}

function nameOf(address: PciAddress, name: string | null): [PciAddress, string][] {
  return name === null ? [] : [[address, name]];
}

/** The planner reads what a hanging write would keep us waiting for. */
async function readGuest(
  host: Host,
  { plan, planRun, ...wishes }: NonNullable<CheckupInput['guest']>,
  isRoot: boolean,
  isBlocked: boolean,
): Promise<Checkup['guest']> {
  const blocked = { unseen: 'a write to the PCI bus hangs, and the plan would hang too' };
  const refusals = isBlocked ? blocked : plan();
  const run = wishes.xml !== null ? null : isBlocked ? blocked : await planRun();
  return readGuestSurroundings(host, { ...wishes, refusals, run }, isRoot);
}

/** Reads "vfio-msix[0](0000:01:00.0)" and the like out of /proc/interrupts (drivers/vfio/pci/vfio_pci_intrs.c). */
function readVfioInterrupts(host: Host): Seen<ReadonlyMap<PciAddress, VfioInterrupt>> {
  return mapSeen(lookFor(host, '/proc/interrupts'), (text) => {
    const found = [...text.matchAll(/vfio-(intx|msix?)(?:\[\d+\])?\(([0-9a-f:.]{12,16})\)/g)]
      .map(([, kind, name = '']) => [parsePciAddress(name), kind as VfioInterrupt] as const)
      .filter((pair): pair is readonly [PciAddress, VfioInterrupt] => pair[0] !== null);
    return new Map(found.sort(([a], [b]) => comparePciAddresses(a, b)));
  });
}
