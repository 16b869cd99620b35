import { type PciAddress, pciAddress } from '../words/pci-address.ts';
import type { Domain, DomainFunction } from './domain.ts';
import { amount, child, childrenOf, elementLacks, elementProblem, isManaged } from './domain-elements.ts';
import { parseLibvirtNumber, parseUuid } from './domain-values.ts';
import type { XmlElement } from './xml-tree.ts';

/** The PCI functions of the host that <devices> gives to the guest, in the document's order. */
export function functionsOf(devices: XmlElement | null): DomainFunction[] {
  const functions: DomainFunction[] = [];
  for (const element of devices?.children ?? []) {
    const type = element.attributes.get('type');
    if (element.name === 'hostdev' && isSubsystem(element) && type === 'pci') {
      functions.push(functionOf(element, sourceOf(element), element, 'hostdev'));
    } else if (element.name === 'interface' && type === 'hostdev') {
      const source = sourceOf(element);
      const bus = child(source, 'address')?.attributes.get('type') ?? 'pci';
      if (bus === 'pci') functions.push(functionOf(element, source, element, 'interface'));
    } else if (element.name === 'disk') {
      functions.push(
        ...imagesOf(element).map((image) => functionOf(image, sourceOf(image), sourceOf(image), 'nvme')),
      );
    }
  }
  return functions;
}

/** The USB devices of the host that <devices> gives to the guest: by vendor and product, by bus and device, or both. */
export function usbOf(devices: XmlElement | null): Domain['usb'] {
  return hostdevsOf(devices, 'usb').map((element) => {
    const source = sourceOf(element);
    const address = child(source, 'address');
    return {
      vendorId: idOf(child(source, 'vendor')),
      productId: idOf(child(source, 'product')),
      bus: address?.attributes.has('bus') ? amount(address, 'bus') : null,
      device: address?.attributes.has('device') ? amount(address, 'device') : null,
    };
  });
}

/** The UUIDs of the mediated devices in <devices>. */
export function mediatedDevicesOf(devices: XmlElement | null): string[] {
  return hostdevsOf(devices, 'mdev').map((element) => {
    const address = child(sourceOf(element), 'address') ?? elementLacks(element, '<source><address>');
    const text = address.attributes.get('uuid') ?? '';
    return parseUuid(text) ?? elementProblem(address, 'uuid', text, 'a UUID');
  });
}

function hostdevsOf(devices: XmlElement | null, type: string): readonly XmlElement[] {
  const ofType = (element: XmlElement): boolean => element.attributes.get('type') === type;
  return childrenOf(devices, 'hostdev').filter((element) => isSubsystem(element) && ofType(element));
}

/** The other mode hands whole capabilities to containers. */
function isSubsystem(hostdev: XmlElement): boolean {
  return (hostdev.attributes.get('mode') ?? 'subsystem') === 'subsystem';
}

/** The images of a disk, the backing chain included, that are NVMe functions. */
function imagesOf(disk: XmlElement): XmlElement[] {
  const images: XmlElement[] = [];
  for (let image: XmlElement | null = disk; image !== null; image = child(image, 'backingStore')) {
    if (image.attributes.get('type') === 'nvme') images.push(image);
  }
  return images;
}

function sourceOf(element: XmlElement): XmlElement {
  return child(element, 'source') ?? elementLacks(element, '<source>');
}

function functionOf(
  element: XmlElement,
  source: XmlElement,
  managedBy: XmlElement,
  kind: DomainFunction['source'],
): DomainFunction {
  const address = child(source, 'address') ?? elementLacks(source, '<address>');
  return {
    address: addressOf(address),
    managed: isManaged(managedBy),
    source: kind,
    driver: kind === 'nvme' ? null : driverOf(child(element, 'driver')),
    romFile: kind === 'nvme' ? null : (child(element, 'rom')?.attributes.get('file') ?? null),
  };
}

/** domain, bus, slot and function: 0 where absent, as libvirt reads them; one at least must be there. */
function addressOf(element: XmlElement): PciAddress {
  const parts = ['domain', 'bus', 'slot', 'function'];
  if (!parts.some((part) => element.attributes.has(part))) elementLacks(element, 'bus and slot');
  const [domain = 0, bus = 0, slot = 0, fn = 0] = parts.map((part) => {
    const text = element.attributes.get(part) ?? '0';
    return parseLibvirtNumber(text) ?? elementProblem(element, part, text, 'a number such as 0x1f');
  });
  const shown = [domain, bus, slot, fn].map((number) => `0x${number.toString(16)}`).join(' ');
  return (
    pciAddress(domain, bus, slot, fn) ??
    elementProblem(element, null, shown, 'within bus 0xff, slot 0x1f, function 7')
  );
}

/** <driver model=''> (libvirt 10.0 and later) names a kernel driver; name='vfio' beside it is only the way of passing. */
function driverOf(element: XmlElement | null): string | null {
  const model = element?.attributes.get('model');
  if (element === null || model === undefined) return null;
  return /^[A-Za-z0-9_-]{1,64}$/.test(model)
    ? model
    : elementProblem(element, 'model', model, "a driver's name");
}

function idOf(element: XmlElement | null): string | null {
  const text = element?.attributes.get('id');
  if (element === null || text === undefined) return null;
  const id = parseLibvirtNumber(text);
  if (id === null || id > 0xffff) return elementProblem(element, 'id', text, 'a number such as 0x046d');
  return id.toString(16).padStart(4, '0');
}
