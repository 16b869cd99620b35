import type { Refusal } from '../words/errors.ts';
import type { PciAddress } from '../words/pci-address.ts';
import { type Chosen, listed } from './device-input.ts';

/** The ways to reset that the kernel knows (drivers/pci/pci.c, pci_reset_fn_methods). */
const METHODS = ['device_specific', 'acpi', 'flr', 'af_flr', 'pm', 'bus', 'cxl_bus'];

/** The profile's choice of how functions are reset, as reset_method takes it; refused where a function does not have it. */
export function chooseResetMethods(
  wishes: readonly string[],
  chosen: readonly Chosen[],
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
    const absent = wanted.filter((method) => !found.fn.resetMethods.includes(method));
    if (unknown.length > 0)
      refuse(`there is no method ${listed(unknown)}`, `The methods are ${listed(METHODS)}`);
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

/**
 * AMD graphics cards whose own reset leaves them hanging (drivers/pci/quirks.c has none for them; the module vendor-reset gives
 * them the method device_specific): Vega 10 and 20, Navi 10, 12 and 14.
 */
const NEEDS_VENDOR_RESET = /^(?:686[0-9a-f]|687f|66a[0-9a-f]|731[0-9a-f]|736[02]|734[0-7]|734f)$/;

/** What is known of how the function comes back from a guest, beside that it cannot be reset at all. */
export function noteReset({ fn, name }: Chosen): string[] {
  const notes: string[] = [];
  const isBad = fn.vendorId === '1002' && NEEDS_VENDOR_RESET.test(fn.deviceId ?? '');
  if (isBad && fn.classCode?.startsWith('03') && !fn.resetMethods.includes('device_specific'))
    notes.push(
      `${name} is of a kind that often hangs when a guest starts for the second time: the module vendor-reset helps, with "reset-methods = …:device_specific" under [options]`,
    );
  if (fn.powerState === 'D3cold')
    notes.push(`${name} is in D3cold: some cards do not wake up again, the start fails then`);
  return notes;
}
