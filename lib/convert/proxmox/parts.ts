import type { PciAddress } from '../../words/pci-address.ts';
import type { DropList } from '../dropped.ts';
import type { ImportHost } from '../imported.ts';
import type { ProfileDraft } from '../profile-draft.ts';
import type { ProfileSource } from '../profile-source.ts';
import type { ProxmoxConf } from './conf.ts';
import type { ProxmoxStorage } from './storage.ts';

/** A Proxmox configuration on its way into a profile. */
export interface Reading {
  readonly conf: ProxmoxConf;
  readonly draft: ProfileDraft;
  readonly dropList: DropList;
  readonly around: ImportHost;
  readonly storages: readonly ProxmoxStorage[];
  /** Which disk, card or function became which section, by its key: "scsi0" to "disk scsi0". */
  readonly sections: Map<string, string>;
}

/** A profile on its way into a Proxmox configuration. */
export interface Writing {
  readonly source: ProfileSource;
  readonly dropList: DropList;
  readonly functions: ReadonlyMap<string, PciAddress>;
  readonly storages: readonly ProxmoxStorage[];
  /** The storage on which Proxmox makes small disks of its own (firmware variables, TPM), or null. */
  readonly storage: string | null;
  /** The options in their order, without dashes. */
  readonly options: Map<string, string>;
  /** The key that each bootable section has become: "disk system" to "scsi0". */
  readonly keys: Map<string, string>;
}

/** A set of properties; null ones are left out. One with a comma cannot be written: it is told, and left out. */
export function properties(
  where: string,
  values: Readonly<Record<string, string | number | null>>,
  first: string,
  { dropList }: Pick<Writing, 'dropList'>,
): string {
  return (
    Object.entries(values)
      .filter(([name, value]) => {
        if (value === null) return false;
        const isPlain = !/[,\n]/.test(String(value));
        if (!isPlain) dropList.add(`${where}, ${name}`, 'Proxmox takes no comma in it');
        return isPlain;
      })
      // Without its name a value ends at the first =
      .map(([name, value]) =>
        name === first && !String(value).includes('=') ? String(value) : `${name}=${value}`,
      )
      .join(',')
  );
}

/** The first free "scsi3" up to `most`, the label itself where it is one of these; null where all are taken. */
export function freeKey(
  name: string,
  label: string,
  most: number,
  taken: ReadonlySet<string>,
): string | null {
  const keys = Array.from({ length: most + 1 }, (_, number) => `${name}${number}`);
  if (keys.includes(label) && !taken.has(label)) return label;
  return keys.find((key) => !taken.has(key)) ?? null;
}
