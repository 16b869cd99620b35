import { type DisplayInput, displaysOf } from './display-input.ts';

/** The firmware's frame buffers that lie on a taken card; one that lies nobody knows where is taken for the boot display's. */
export function firmwareOn(input: DisplayInput) {
  const displays = displaysOf(input);
  const addresses = new Set(displays.map(({ address }) => address));
  const takesBootVga = displays.some(({ bootVga }) => bootVga);
  return input.picture.firmware.filter(
    ({ driver, address }) => driver !== null && (address === null ? takesBootVga : addresses.has(address)),
  );
}
