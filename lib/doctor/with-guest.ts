import type { Checkup } from '../host/checkup.ts';
import type { GuestCheckup } from '../host/guest-checkup.ts';
import type { GuestXml } from '../inputs/guest-xml.ts';
import type { PciAddress } from '../words/pci-address.ts';
import { seenOr } from '../words/seen.ts';
import { ok, unknown, type Verdict } from './check.ts';

/** Judges a guest's XML; without a guest there is nothing to say, nor of one that `run` starts, and without XML nobody can look. */
export function withXml({ guest }: Checkup, judge: (xml: GuestXml, guest: GuestCheckup) => Verdict): Verdict {
  if (guest === null) return ok('No guest was asked about');
  if (guest.xml === null && guest.run !== null) return ok('The guest is not one of libvirt’s');
  return guest.xml === null
    ? unknown(
        'libvirt does not know the guest, or does not tell',
        'Give the XML by --domain FILE (virsh dumpxml GUEST writes it)',
      )
    : judge(guest.xml, guest);
}

/** Whether a function is of NVIDIA's make. */
export function isNvidia({ functions }: Checkup, address: PciAddress): boolean {
  return seenOr(functions, null)?.get(address)?.vendorId === '10de';
}
