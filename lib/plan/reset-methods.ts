import type { Refusal } from '../words/errors.ts';
import type { PciAddress } from '../words/pci-address.ts';
import { type Chosen, listed } from './device-input.ts';
import { hasResetBug } from './reset-bug.ts';

/** The ways to reset that the kernel knows (drivers/pci/pci.c, pci_reset_fn_methods). */
const VENDORS_OWN = 'device_specific';
const METHODS = [VENDORS_OWN, 'acpi', 'flr', 'af_flr', 'pm', 'bus', 'cxl_bus'];

/**
 * The profile's choice of how functions are reset, as reset_method takes it; refused where a function does not have it. That file shows
 * what is in use. What the module `vendorReset` can do is not in use before somebody asks for it, for it was loaded after the card was found.
 */
export function chooseResetMethods(
  wishes: readonly string[],
  chosen: readonly Chosen[],
  vendorReset: boolean,
): { readonly methods: ReadonlyMap<PciAddress, string>; readonly refusals: readonly Refusal[] } {
  const methods = new Map<PciAddress, string>();
  const refusals: Refusal[] = [];
  for (const wish of wishes) {
    const at = wish.lastIndexOf(':');
    const label = wish.slice(0, at);
    const wanted = wish.slice(at + 1).split('+');
    const found = chosen.find(({ fn, name }) => fn.address === label || name.endsWith(`(${label})`));
    const refuse = (what: string, remedy: string) =>
      refusals.push({ id: 'reset-method', summary: `Cannot set how ${wish} is reset: ${what}`, remedy });
    if (found === undefined) {
      refuse(
        `${label === '' ? 'it names no function' : `${label} is none of the guest's functions`}, it must be a label of [devices] or an address`,
        'Write label:method, such as gpu:bus',
      );
      continue;
    }
    const unknown = wanted.filter((method) => !METHODS.includes(method));
    const isOurs = hasResetBug(found.fn);
    const has = [...found.fn.resetMethods, ...(isOurs && vendorReset ? [VENDORS_OWN] : [])];
    const absent = wanted.filter((method) => !has.includes(method));
    if (unknown.length > 0)
      refuse(`there is no method ${listed(unknown)}`, `The methods are ${listed(METHODS)}`);
    else if (isOurs && absent.includes(VENDORS_OWN))
      refuse(
        `${found.fn.address} gets it from the module vendor-reset, which is not loaded`,
        'Install it (github.com/gnif/vendor-reset) and load it: modprobe vendor-reset',
      );
    else if (absent.length > 0)
      refuse(
        `${found.fn.address} has no ${listed(absent)}`,
        found.fn.resetMethods.length === 0
          ? 'It cannot be reset at all'
          : `It has ${listed(found.fn.resetMethods)}`,
      );
    else methods.set(found.fn.address, wanted.join(' '));
  }
  return { methods, refusals };
}

/** What is known of how the function comes back from a guest, beside that it cannot be reset at all. `method`: what the profile asks for. */
export function noteReset({ fn, name }: Chosen, vendorReset: boolean, method = ''): string[] {
  const notes: string[] = [];
  const methods = [...fn.resetMethods, ...method.split(' ')];
  if (hasResetBug(fn) && !methods.includes(VENDORS_OWN)) {
    const remedy = vendorReset
      ? 'the module vendor-reset is loaded, but not in use for it: write'
      : 'install and load the module vendor-reset, and write';
    notes.push(
      `${name} is of a kind that often hangs when a guest starts for the second time: ${remedy} "reset-methods = ${fn.address}:${VENDORS_OWN}" under [options]`,
    );
  }
  if (fn.powerState === 'D3cold')
    notes.push(`${name} is in D3cold: some cards do not wake up again, the start fails then`);
  return notes;
}
