import { chosenOf, formatIdentityOf, isMeant } from '../host/device-identity.ts';
import type { DeviceRequest, DeviceSelector } from '../inputs/profile.ts';
import { formatDeviceRequest, formatIdentity } from '../inputs/selector.ts';
import type { Refusal } from '../words/errors.ts';
import type { PciAddress } from '../words/pci-address.ts';
import { type Chosen, type DeviceInput, listed, nameOf } from './device-input.ts';

/** Which functions the guest shall have: those that the profile names, then those of the domain; and why a name means none. */
export function chooseFunctions(input: DeviceInput): {
  chosen: readonly Chosen[];
  refusals: readonly Refusal[];
} {
  const { wishes, domainFunctions, picture } = input;
  const chosen = new Map<PciAddress, Chosen>();
  const refusals: Refusal[] = [];
  for (const [index, request] of wishes.requests.entries()) {
    const candidates = picture.candidates[index] ?? [];
    const address = chosenOf(request.selector, candidates);
    const fn = address === null ? undefined : picture.functions.get(address);
    const elsewhere = picture.elsewhere[index] ?? [];
    if (fn === undefined) refusals.push(noFunction(request, candidates, elsewhere));
    else if (request.identity !== null && !isMeant(fn, request.identity)) {
      refusals.push({
        id: 'wrong-device',
        summary: `Cannot take ${nameOf(fn.address, request.label)}: it is ${formatIdentityOf(fn)}, must be ${formatIdentity(request.identity)}`,
        remedy: whereNow(request, elsewhere),
      });
    } else if (!chosen.has(fn.address)) {
      chosen.set(fn.address, { fn, name: nameOf(fn.address, request.label), ours: true });
    }
  }
  const seen = new Set<PciAddress>();
  for (const { address, managed } of domainFunctions) {
    if (chosen.has(address) || seen.has(address)) continue;
    seen.add(address);
    const fn = picture.functions.get(address);
    if (fn === undefined) {
      refusals.push({
        id: 'no-device',
        summary: `Cannot give ${address} to the guest: there is no such function, the domain XML must name one of this machine`,
        remedy: 'passqemu devices shows what there is',
      });
    } else if (managed || fn.isVfio) {
      chosen.set(address, { fn, name: address, ours: !managed || wishes.managed === 'take' });
    } else {
      refusals.push({
        id: 'unmanaged',
        summary: `Cannot give ${address} to the guest: the domain has it as managed='no' and it is bound to ${fn.driver ?? 'no driver'}, must be on a VFIO driver`,
        remedy: "Name it under [devices] in the profile, or write managed='yes' in the domain XML",
      });
    }
  }
  return { chosen: [...chosen.values()], refusals };
}

function noFunction(
  request: DeviceRequest,
  candidates: readonly PciAddress[],
  elsewhere: readonly PciAddress[],
): Refusal {
  const { label, selector } = request;
  if (selector.by === 'address') {
    return {
      id: 'no-device',
      summary: `Cannot take ${nameOf(selector.address, label)}: there is no such function, the address must be one of this machine`,
      remedy: whereNow(request, elsewhere),
    };
  }
  const what = formatDeviceRequest({ selector: withoutIndex(selector), identity: null });
  if (candidates.length === 0) {
    return {
      id: 'no-device',
      summary: `Cannot find ${label}: no function of this machine is ${what}, one must be`,
      remedy:
        selector.by === 'mac' || selector.by === 'serial'
          ? 'A function on a VFIO driver does not tell its MAC or serial number: name it by its address'
          : 'passqemu devices shows what there is',
    };
  }
  if ('index' in selector && selector.index !== null) {
    return {
      id: 'no-device',
      summary: `Cannot find ${label}: ${candidates.length} functions are ${what}, the index must be below that, not ${selector.index}`,
      remedy: `They are ${listed(candidates)}`,
    };
  }
  return {
    id: 'ambiguous-device',
    summary: `Cannot choose ${label}: ${candidates.length} functions are ${what}, it must be one`,
    remedy: `Write an address or add an index, from "${what} index 0": ${listed(candidates)}`,
  };
}

function withoutIndex(selector: DeviceSelector): DeviceSelector {
  return 'index' in selector ? { ...selector, index: null } : selector;
}

function whereNow({ identity, label }: DeviceRequest, elsewhere: readonly PciAddress[]): string {
  if (identity === null) return 'passqemu devices shows what there is';
  if (elsewhere.length === 0) {
    return `No function of this machine is ${formatIdentity(identity)} now: passqemu devices shows what there is`;
  }
  const where = `${formatIdentity(identity)} is at ${listed(elsewhere)} now`;
  return `${where}: write ${elsewhere.length === 1 ? 'that address' : 'the right one'} for ${label} in the profile`;
}
