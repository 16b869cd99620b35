import type { PciAddress } from '../words/pci-address.ts';

/** What stands between the layers in `Use.on`. */
export const LAYERS = ' → ';

/** One way in which the host uses what hangs on a function. */
export interface Use {
  readonly address: PciAddress;
  readonly why:
    | 'mount'
    | 'swap'
    | 'lvm'
    | 'luks'
    | 'md'
    | 'zfs'
    | 'btrfs'
    | 'bcache'
    | 'dm'
    | 'claimed'
    | 'default-route'
    | 'bridge'
    | 'bond'
    | 'address'
    | 'usb-keyboard'
    | 'usb-storage-mounted';
  /** The mount point, volume, pool, route or keyboard. */
  readonly what: string;
  /** The device it lies on, and what is in between: "nvme0n1p3", "nvme0n1p3 → vg-root". */
  readonly on: string;
  /** refuse: taking it breaks the host. warn: the user should hear of it. note: will not survive the trip. */
  readonly severity: 'refuse' | 'warn' | 'note';
}
