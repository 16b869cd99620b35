import type { Seen } from '../words/seen.ts';
import type { Host } from './host.ts';
import { readIommu } from './iommu.ts';
import { lookFor, lookThrough } from './look.ts';

/** The IOMMU as kernel and firmware show it. */
export interface IommuFacts {
  readonly enabled: boolean;
  /** "dmar0", "ivhd0". */
  readonly units: readonly string[];
  /** ACPI tables by which firmware tells of one: DMAR (Intel), IVRS (AMD), IORT (ARM), VIOT (virtio). */
  readonly tables: Seen<readonly string[]>;
  /** The widest guest-physical address that the narrowest unit of Intel's takes, in bits (VT-d specification, MGAW). */
  readonly widthBits: number | null;
  /** How many groups have which default domain: "identity", "DMA", "DMA-FQ" (Documentation/ABI/testing/sysfs-kernel-iommu_groups). */
  readonly domainTypes: ReadonlyMap<string, number>;
  /** Whether interrupts go through a remapping unit: their chips are called "IR-…" then. */
  readonly remapsInterrupts: Seen<boolean>;
  /** /sys/module/…/parameters, null where the module is not loaded. */
  readonly unsafeInterrupts: boolean | null;
  readonly noIommuMode: boolean | null;
}

const TABLES = ['DMAR', 'IVRS', 'IORT', 'VIOT'];

/** Reads it. */
export function readIommuFacts(host: Host): IommuFacts {
  const names = lookThrough(host, '/sys/firmware/acpi/tables');
  return {
    ...readIommu(host),
    tables:
      'unseen' in names ? names : { value: names.value.filter((name) => TABLES.includes(name.slice(0, 4))) },
    widthBits: readWidth(host),
    domainTypes: readDomainTypes(host),
    remapsInterrupts: readRemapping(host),
    unsafeInterrupts: readSwitch(host, 'vfio_iommu_type1/parameters/allow_unsafe_interrupts'),
    noIommuMode: readSwitch(host, 'vfio/parameters/enable_unsafe_noiommu_mode'),
  };
}

/** A module's parameter that is Y or N; null where there is none. */
export function readSwitch(host: Host, path: string): boolean | null {
  const text = host.readOptional(`/sys/module/${path}`);
  return text === null ? null : /^[Yy1]/.test(text) ? true : /^[Nn0]/.test(text) ? false : null;
}

function readWidth(host: Host): number | null {
  const widths = host.list('/sys/class/iommu').flatMap((unit) => {
    const cap = host.readOptional(`/sys/class/iommu/${unit}/intel-iommu/cap`) ?? '';
    return /^[0-9a-f]{1,16}$/i.test(cap) ? [Number((BigInt(`0x${cap}`) >> 16n) & 0x3fn) + 1] : [];
  });
  return widths.length === 0 ? null : Math.min(...widths);
}

function readDomainTypes(host: Host): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const group of host.list('/sys/kernel/iommu_groups')) {
    const type = host.readOptional(`/sys/kernel/iommu_groups/${group}/type`);
    if (type !== null && /^[\w-]{1,20}$/.test(type)) counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return counts;
}

function readRemapping(host: Host): Seen<boolean> {
  const text = lookFor(host, '/proc/interrupts');
  return 'unseen' in text ? text : { value: /\sIR-/.test(text.value) };
}
