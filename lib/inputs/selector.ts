import { ProfileError } from '../words/errors.ts';
import { parsePciAddress } from '../words/pci-address.ts';
import { hiddenSignAt, isProblem, type Parsed, quoted } from './parsed.ts';
import type { DeviceIdentity, DeviceRequest, DeviceSelector } from './profile.ts';

/**
 * Reads how a profile or a command line names a function:
 *
 *     0000:01:00.0                       an address; the domain may be left out or have more than four digits
 *     0000:01:00.0 10de:2684:1458:40bf   the same, and what must be found there (subsystem ids may be left out)
 *     10de:2684                          vendor and device, with subsystem ids or without
 *     10de:2684 index 1                  the second of them, by address
 *     gpu                                a class by name (gpu, nvme, nic, usb, audio) …
 *     class 0c03 index 0                 … or by the first digits of its code; both may have an index
 *     mac 52:54:00:12:34:56              a network card by its permanent address
 *     serial S4EVNX0M123456              a disk or card by its serial number
 *
 * The index is a word because "#" begins a comment in ini files.
 */
export function parseDeviceRequest(label: string, text: string): DeviceRequest {
  const parsed = deviceRequestOf(label, text);
  if (isProblem(parsed))
    throw new ProfileError(`Cannot read device ${quoted(label)}: it ${parsed.problem}`, parsed.hint);
  return parsed.value;
}

/** The same for a reader that collects problems. */
export function deviceRequestOf(label: string, text: string): Parsed<DeviceRequest> {
  const selection = selectionOf(text.trim());
  return isProblem(selection) ? selection : { value: { label, ...selection.value } };
}

/** Writes what parseDeviceRequest reads back as the same request, without the label. */
export function formatDeviceRequest(request: Omit<DeviceRequest, 'label'>): string {
  const { selector, identity } = request;
  const parts = [formatSelector(selector)];
  if (identity !== null) parts.push(formatIdentity(identity));
  if ('index' in selector && selector.index !== null) parts.push(`index ${selector.index}`);
  return parts.join(' ');
}

/** "10de:2684" or "10de:2684:1458:40bf". */
export function formatIdentity(identity: DeviceIdentity): string {
  const { vendorId, deviceId, subsystemVendorId, subsystemId } = identity;
  const ids =
    subsystemId === null ? [vendorId, deviceId] : [vendorId, deviceId, subsystemVendorId, subsystemId];
  return ids.join(':');
}

/** Reads "10de:2684" or "10de:2684:1458:40bf", in lower case, or gives null. */
export function parseIdentity(text: string): DeviceIdentity | null {
  const match = /^([0-9a-f]{4}):([0-9a-f]{4})(?::([0-9a-f]{4}):([0-9a-f]{4}))?$/.exec(text.toLowerCase());
  if (match === null) return null;
  const [, vendorId = '', deviceId = '', subsystemVendorId = null, subsystemId = null] = match;
  return { vendorId, deviceId, subsystemVendorId, subsystemId };
}

/** First digits of the class codes (pci.ids, "C" lines) behind the names that people use. */
export const CLASS_NAMES: Readonly<Record<string, string>> = {
  gpu: '03',
  nvme: '0108',
  nic: '02',
  usb: '0c03',
  audio: '0403',
};

/** The largest index that is taken: there are never more functions of one kind. */
const LARGEST_INDEX = 65_535;

type Selection = Omit<DeviceRequest, 'label'>;

function selectionOf(text: string): Parsed<Selection> {
  const words = text.split(/\s+/);
  const [first = '', ...rest] = words;
  const keyword = first.toLowerCase();

  const address = parsePciAddress(first);
  if (address !== null) {
    const identity = rest.length === 1 ? parseIdentity(rest[0]!) : null;
    if (rest.length > 0 && identity === null) {
      return {
        problem: `has ${quoted(rest.join(' '))} after the address, must be vendor:device or vendor:device:subvendor:subdevice`,
      };
    }
    return { value: { selector: { by: 'address', address }, identity } };
  }

  const identity = parseIdentity(first);
  if (identity !== null) return indexed(rest, (index) => ({ by: 'identity', identity, index }));

  if (keyword === 'class') {
    const prefix = rest[0]?.toLowerCase() ?? '';
    if (!/^(?:[0-9a-f]{2}){1,3}$/.test(prefix)) {
      return {
        problem: `has the class ${quoted(prefix)}, must be 2, 4 or 6 hexadecimal digits such as 0300`,
      };
    }
    return indexed(rest.slice(1), (index) => ({ by: 'class', classPrefix: prefix, index }));
  }
  const classPrefix = Object.hasOwn(CLASS_NAMES, keyword) ? CLASS_NAMES[keyword]! : null;
  if (classPrefix !== null) return indexed(rest, (index) => ({ by: 'class', classPrefix, index }));

  if (keyword === 'mac') {
    const mac = rest.join(' ').toLowerCase().replaceAll('-', ':');
    if (!/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/.test(mac)) {
      return {
        problem: `has the MAC ${quoted(rest.join(' '))}, must be six pairs of digits such as 52:54:00:12:34:56`,
      };
    }
    return { value: { selector: { by: 'mac', mac }, identity: null } };
  }
  if (keyword === 'serial') {
    const serial = text.slice(first.length).trim();
    if (serial === '' || serial.length > 128 || hiddenSignAt(serial) >= 0) {
      return { problem: `has the serial number ${quoted(serial)}, must be 1 to 128 visible signs` };
    }
    return { value: { selector: { by: 'serial', serial }, identity: null } };
  }
  return {
    problem: `is ${quoted(text)}, must name a function`,
    hint: `Write an address (0000:01:00.0), vendor:device (10de:2684), ${Object.keys(CLASS_NAMES).join(', ')}, class 0300, mac … or serial …`,
  };
}

function indexed(
  rest: readonly string[],
  selectorOf: (index: number | null) => DeviceSelector,
): Parsed<Selection> {
  if (rest.length === 0) return { value: { selector: selectorOf(null), identity: null } };
  const [word = '', number = ''] = rest;
  const index = /^\d{1,5}$/.test(number) ? Number(number) : Number.NaN;
  if (rest.length !== 2 || word.toLowerCase() !== 'index' || !(index <= LARGEST_INDEX)) {
    return { problem: `has ${quoted(rest.join(' '))} at its end, must be "index" and a number from 0` };
  }
  return { value: { selector: selectorOf(index), identity: null } };
}

function formatSelector(selector: DeviceSelector): string {
  switch (selector.by) {
    case 'address':
      return selector.address;
    case 'identity':
      return formatIdentity(selector.identity);
    case 'class': {
      const named = Object.entries(CLASS_NAMES).find(([, prefix]) => prefix === selector.classPrefix);
      return named === undefined ? `class ${selector.classPrefix}` : named[0];
    }
    case 'mac':
      return `mac ${selector.mac}`;
    case 'serial':
      return `serial ${selector.serial}`;
  }
}
