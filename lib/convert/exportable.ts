import type { PciAddress } from '../words/pci-address.ts';

/** A profile to be exported: its text, and the functions behind the labels of [devices] on this host. */
export interface Exportable {
  readonly guest: string;
  readonly path: string;
  readonly text: string;
  /** The one that a guest of this name has where its profile says none. */
  readonly uuid: string;
  readonly functions: ReadonlyMap<string, PciAddress>;
}
