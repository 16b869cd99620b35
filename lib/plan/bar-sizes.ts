import type { PciFunction } from '../host/pci-function.ts';
import type { Refusal } from '../words/errors.ts';
import type { PciAddress } from '../words/pci-address.ts';
import { parseSizeKib } from '../words/size.ts';
import { type Chosen, listed } from './device-input.ts';

/** The profile's sizes of resizable BARs, in MiB by BAR; refused where there is no such BAR or no such size. */
export function chooseBarSizes(
  wishes: readonly string[],
  chosen: readonly Chosen[],
): {
  readonly sizes: ReadonlyMap<PciAddress, Readonly<Record<string, number>>>;
  readonly refusals: readonly Refusal[];
} {
  const sizes = new Map<PciAddress, Record<string, number>>();
  const refusals: Refusal[] = [];
  for (const wish of wishes) {
    const refuse = (what: string, remedy: string) =>
      refusals.push({ id: 'bar-size', summary: `Cannot size a BAR by ${wish}: ${what}`, remedy });
    const [, label = '', index = '', size = ''] = /^(.*):([0-5]):([^:]+)$/.exec(wish) ?? [];
    const found = chosen.find(({ fn, name }) => fn.address === label || name.endsWith(`(${label})`));
    const sizeMib = (parseSizeKib(size) ?? 0) / 1024;
    if (label === '' || found === undefined) {
      refuse(
        'it names no function of the guest, it must begin with a label of [devices] or an address',
        'Write label:bar:size, such as gpu:0:256M',
      );
      continue;
    }
    const resizable = found.fn.bars.filter((bar) => bar.resizable).map((bar) => `${bar.index}`);
    if (!resizable.includes(index))
      refuse(
        `BAR ${index} of ${found.fn.address} cannot be resized`,
        resizable.length === 0 ? 'It has none that can' : `These can: ${listed(resizable)}`,
      );
    else if (!Number.isInteger(Math.log2(sizeMib)) || sizeMib < 1)
      refuse(
        `${size} is no power of two of at least 1M`,
        'The sizes a card can have double from one to the next',
      );
    else if (found.fn.isVfio && !hasSize(found.fn, index, sizeMib))
      refuse(
        `${found.fn.address} is on ${found.fn.driver} already, it must come from another driver or none`,
        'The kernel sizes a BAR only while no driver has the function: do not claim it for VFIO at boot',
      );
    else if (!found.fn.isVfio)
      sizes.set(found.fn.address, { ...sizes.get(found.fn.address), [index]: sizeMib });
  }
  return { sizes, refusals };
}

function hasSize({ bars }: PciFunction, index: string, sizeMib: number): boolean {
  return bars.some((bar) => `${bar.index}` === index && bar.sizeBytes === sizeMib * 1024 * 1024);
}
