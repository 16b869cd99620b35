import { moduleFolderName } from '../words/vfio-driver.ts';
import type { Host, PathFacts } from './host.ts';
import { readSwitch } from './iommu-facts.ts';
import { type ModuleState, readModuleStates } from './kernel-modules.ts';

/** KVM and the kernel's own helpers for guests. */
export interface VirtualizationFacts {
  readonly kvmNode: PathFacts | null;
  /** By the kernel's names: kvm, kvm_intel, kvm_amd, vfio_pci, vfio_iommu_type1, iommufd, vhost_net, tun. */
  readonly modules: ReadonlyMap<string, ModuleState>;
  /** Of the module that is loaded; null where none is. */
  readonly nested: boolean | null;
  readonly ignoreMsrs: boolean | null;
  readonly reportIgnoredMsrs: boolean | null;
  readonly clocksource: string | null;
  /** Modules that are part of the kernel itself: nothing can be loaded before them. Null where no list tells. */
  readonly builtIn: ReadonlySet<string> | null;
}

const MODULES = [
  'kvm',
  'kvm_intel',
  'kvm_amd',
  'vfio_pci',
  'vfio_iommu_type1',
  'iommufd',
  'vhost_net',
  'tun',
];

/** Reads it. */
export function readVirtualization(host: Host): VirtualizationFacts {
  const nested = ['kvm_intel', 'kvm_amd'].map((name) => readSwitch(host, `${name}/parameters/nested`));
  return {
    kvmNode: host.stat('/dev/kvm'),
    modules: readModuleStates(host, MODULES),
    nested: nested.find((one) => one !== null) ?? null,
    ignoreMsrs: readSwitch(host, 'kvm/parameters/ignore_msrs'),
    reportIgnoredMsrs: readSwitch(host, 'kvm/parameters/report_ignored_msrs'),
    clocksource: host.readOptional('/sys/devices/system/clocksource/clocksource0/current_clocksource'),
    builtIn: readBuiltIn(host),
  };
}

function readBuiltIn(host: Host): ReadonlySet<string> | null {
  const release = host.readOptional('/proc/sys/kernel/osrelease') ?? '';
  if (!/^[\w.+~-]+$/.test(release)) return null;
  const text = host.readOptional(`/lib/modules/${release}/modules.builtin`);
  if (text === null) return null;
  return new Set([...text.matchAll(/\/([\w-]+)\.ko/g)].map(([, name = '']) => moduleFolderName(name)));
}
