import type { CpuSet } from '../words/cpu-list.ts';
import type { PciAddress } from '../words/pci-address.ts';

/** A PCI function that the domain XML gives to the guest. */
export interface DomainFunction {
  readonly address: PciAddress;
  readonly managed: boolean;
  /** Which element named it: <hostdev>, <interface type='hostdev'>, <disk type='nvme'>. */
  readonly source: 'hostdev' | 'interface' | 'nvme';
  /** <driver model=…> of the element, where it asks for another driver than libvirt's choice. */
  readonly driver: string | null;
  /** <rom file=…>: what the guest gets instead of the card's own ROM. */
  readonly romFile: string | null;
}

/** <page>: memory that must be backed by huge pages of one size; `nodeset` holds the *guest's* cells, null is the whole guest. */
export interface DomainHugepages {
  readonly sizeKib: number | null;
  readonly nodeset: CpuSet | null;
}

/** What of a libvirt domain matters to the host, as plain data. Absent is null, never a default of ours. */
export interface Domain {
  readonly name: string;
  readonly uuid: string | null;
  /** <memory>, hot-plugged modules included; where absent the sum of the cells. <currentMemory> and <maxMemory> do not count. */
  readonly memoryKib: number | null;
  /** <memtune>; null where there is no such limit, or it says "unlimited". */
  readonly memtune: {
    readonly hardLimitKib: number | null;
    readonly softLimitKib: number | null;
    readonly swapHardLimitKib: number | null;
    readonly minGuaranteeKib: number | null;
  };
  readonly functions: readonly DomainFunction[];
  readonly usb: readonly {
    readonly vendorId: string | null;
    readonly productId: string | null;
    readonly bus: number | null;
    readonly device: number | null;
  }[];
  readonly mediatedDevices: readonly string[];
  readonly vcpus: number | null;
  /** <cputune>: by vCPU or iothread number; pins of vCPUs beyond `vcpus` are left out, as libvirt does. */
  readonly vcpuPins: ReadonlyMap<number, CpuSet>;
  readonly iothreadPins: ReadonlyMap<number, CpuSet>;
  readonly emulatorPin: CpuSet | null;
  /** <cputune><vcpusched>, in the document's order; `priority` only with fifo and rr. */
  readonly vcpuScheds: readonly {
    readonly vcpus: CpuSet;
    readonly scheduler: string;
    readonly priority: number | null;
  }[];
  /** cpuset='' of <vcpu>. */
  readonly vcpuSet: CpuSet | null;
  /** <memoryBacking><hugepages>: null where the guest wants none; an empty list means the default size for all. */
  readonly hugepages: readonly DomainHugepages[] | null;
  /** <numatune><memory nodeset mode>. */
  readonly memoryNodes: CpuSet | null;
  readonly memoryMode: string | null;
  /** <numatune><memnode>: guest cell to host nodes. */
  readonly cellNodes: ReadonlyMap<number, CpuSet>;
  /** <cpu><numa><cell>. */
  readonly cells: readonly { readonly id: number; readonly cpus: CpuSet; readonly memoryKib: number }[];
  /** Keys of our own namespace in <metadata>: "section.key" to text. */
  readonly metadata: ReadonlyMap<string, string>;
}
