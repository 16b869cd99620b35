/** What a function is for, as far as we treat it differently. */
export type PciKind = 'display' | 'audio' | 'network' | 'nvme' | 'storage' | 'usb' | 'bridge' | 'other';

/** Sorts a function by its class code of six hex digits (PCI Code and ID Assignment Specification; include/linux/pci_ids.h). */
export function pciKind(classCode: string | null): PciKind {
  if (classCode === null) return 'other';
  if (classCode.startsWith('0108')) return 'nvme';
  if (classCode.startsWith('0c03')) return 'usb';
  return KIND_OF_BASE[classCode.slice(0, 2)] ?? 'other';
}

const KIND_OF_BASE: Readonly<Record<string, PciKind>> = {
  '01': 'storage',
  '02': 'network',
  '03': 'display',
  '04': 'audio',
  '06': 'bridge',
};
