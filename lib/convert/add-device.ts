import { formatDeviceRequest } from '../inputs/selector.ts';
import type { PciAddress } from '../words/pci-address.ts';
import type { ImportHost } from './imported.ts';
import type { ProfileDraft } from './profile-draft.ts';

/** Writes a function into [devices], by its address and with what the host knows of it, under the label that is wanted or, null, one of its kind; answers the label. */
export function addDevice(
  address: PciAddress,
  wanted: string | null,
  draft: ProfileDraft,
  around: ImportHost,
): string {
  const { kind, identity, comment } = around.about(address);
  const label = draft.freeLabel('devices', wanted ?? kind);
  const request = formatDeviceRequest({ selector: { by: 'address', address }, identity });
  draft.set('devices', label, request, comment);
  return label;
}
