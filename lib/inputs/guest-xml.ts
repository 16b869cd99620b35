import { type PciAddress, pciAddress } from '../words/pci-address.ts';
import { parseLibvirtNumber } from './domain-values.ts';
import { parseXmlTree, type XmlElement, type XmlShape } from './xml-tree.ts';

/** What of a domain decides how well passthrough works in it, beside what the host must give (`Domain`). Absent is null. */
export interface GuestXml {
  readonly type: string | null;
  /** "pc-q35-9.0". */
  readonly machine: string | null;
  /** The libosinfo id in <metadata> ("http://microsoft.com/win/11"). */
  readonly os: string | null;
  readonly emulator: string | null;
  readonly loader: { readonly path: string; readonly type: string | null } | null;
  readonly firmware: string | null;
  readonly nvram: { readonly path: string; readonly template: string | null } | null;
  readonly cpuMode: string | null;
  readonly cpuFeatures: ReadonlyMap<string, string>;
  readonly threads: number | null;
  readonly addressLimitBits: number | null;
  readonly hiddenKvm: boolean;
  readonly hypervVendor: string | null;
  /** Names of <hyperv> elements that are on. */
  readonly hyperv: readonly string[];
  readonly disks: readonly {
    readonly source: string;
    readonly bus: string | null;
    readonly device: string;
  }[];
  readonly interfaces: readonly { readonly type: string; readonly model: string | null }[];
  readonly roms: readonly {
    readonly address: PciAddress | null;
    readonly file: string | null;
    readonly bar: boolean;
  }[];
  readonly evdev: readonly string[];
  /** True where libvirt would add one: <memballoon> is absent. */
  readonly balloon: boolean;
  readonly tpmEmulator: boolean;
}

const SHAPE: XmlShape = {
  metadata: {
    '{http://libosinfo.org/xmlns/libvirt/domain/1.0}libosinfo': {
      '{http://libosinfo.org/xmlns/libvirt/domain/1.0}os': {},
    },
  },
  os: { type: {}, loader: {}, nvram: {} },
  features: {
    hyperv: {
      relaxed: {},
      vapic: {},
      spinlocks: {},
      vpindex: {},
      synic: {},
      stimer: {},
      vendor_id: {},
      frequencies: {},
    },
    kvm: { hidden: {} },
  },
  cpu: { feature: {}, topology: {}, maxphysaddr: {} },
  devices: {
    emulator: {},
    disk: { source: {}, target: {} },
    interface: { model: {} },
    hostdev: { source: { address: {} }, rom: {} },
    input: { source: {} },
    memballoon: {},
    tpm: { backend: {} },
  },
};

/** Reads it; throws DomainError as `parseDomain` does. */
export function parseGuestXml(xml: string): GuestXml {
  const root = parseXmlTree(xml, 'domain', SHAPE);
  const [os, features, cpu, devices] = ['os', 'features', 'cpu', 'devices'].map((name) => first(root, name));
  const hyperv = first(features, 'hyperv');
  const [loader, nvram] = [first(os, 'loader'), first(os, 'nvram')];
  const vendor = first(hyperv, 'vendor_id');
  return {
    type: root.attributes.get('type') ?? null,
    machine: first(os, 'type')?.attributes.get('machine') ?? null,
    os: first(first(first(root, 'metadata'), 'libosinfo'), 'os')?.attributes.get('id') ?? null,
    emulator: text(first(devices, 'emulator')),
    loader:
      text(loader) === null ? null : { path: text(loader)!, type: loader?.attributes.get('type') ?? null },
    firmware: os?.attributes.get('firmware') ?? null,
    nvram:
      nvram === null ? null : { path: text(nvram) ?? '', template: nvram.attributes.get('template') ?? null },
    cpuMode: cpu?.attributes.get('mode') ?? (cpu === null ? null : 'custom'),
    cpuFeatures: new Map(
      all(cpu, 'feature').map(({ attributes }) => [
        attributes.get('name') ?? '',
        attributes.get('policy') ?? 'require',
      ]),
    ),
    threads: count(first(cpu, 'topology'), 'threads'),
    addressLimitBits: count(first(cpu, 'maxphysaddr'), 'limit') ?? count(first(cpu, 'maxphysaddr'), 'bits'),
    hiddenKvm: first(first(features, 'kvm'), 'hidden')?.attributes.get('state') === 'on',
    hypervVendor:
      vendor?.attributes.get('state') === 'off' ? null : (vendor?.attributes.get('value') ?? null),
    hyperv:
      hyperv?.attributes.get('mode') === 'passthrough'
        ? ['passthrough']
        : (hyperv?.children ?? [])
            .filter(({ attributes }) => attributes.get('state') === 'on')
            .map(({ name }) => name),
    disks: all(devices, 'disk').flatMap(diskOf),
    interfaces: all(devices, 'interface').map((element) => ({
      type: element.attributes.get('type') ?? 'network',
      model: first(element, 'model')?.attributes.get('type') ?? null,
    })),
    roms: all(devices, 'hostdev').flatMap(romOf),
    evdev: all(devices, 'input')
      .filter(({ attributes }) => attributes.get('type') === 'evdev')
      .flatMap((element) => first(element, 'source')?.attributes.get('dev') ?? []),
    balloon: (first(devices, 'memballoon')?.attributes.get('model') ?? 'virtio') !== 'none',
    tpmEmulator: all(devices, 'tpm').some(
      (tpm) => first(tpm, 'backend')?.attributes.get('type') === 'emulator',
    ),
  };
}

/** Of one that stands twice, libvirt's own reader has complained. */
function first(element: XmlElement | null | undefined, name: string): XmlElement | null {
  return element?.children.find((child) => child.name === name) ?? null;
}

function all(element: XmlElement | null | undefined, name: string): readonly XmlElement[] {
  return element?.children.filter((child) => child.name === name) ?? [];
}

function text(element: XmlElement | null): string | null {
  const said = element?.text.trim() ?? '';
  return said === '' ? null : said;
}

function count(element: XmlElement | null, attribute: string): number | null {
  const digits = element?.attributes.get(attribute) ?? '';
  return /^\d{1,6}$/.test(digits) ? Number(digits) : null;
}

function diskOf(disk: XmlElement): GuestXml['disks'] {
  const attributes = first(disk, 'source')?.attributes;
  const source = attributes?.get('file') ?? attributes?.get('dev');
  if (source === undefined || !source.startsWith('/')) return [];
  const bus = first(disk, 'target')?.attributes.get('bus') ?? null;
  return [{ source, bus, device: disk.attributes.get('device') ?? 'disk' }];
}

function romOf(hostdev: XmlElement): GuestXml['roms'] {
  const rom = first(hostdev, 'rom');
  if (rom === null) return [];
  const address = first(first(hostdev, 'source'), 'address');
  const [domain = 0, bus = 0, slot = 0, fn = 0] = ['domain', 'bus', 'slot', 'function'].map(
    (part) => parseLibvirtNumber(address?.attributes.get(part) ?? '0') ?? -1,
  );
  const off = rom.attributes.get('bar') === 'off' || rom.attributes.get('enabled') === 'no';
  return [
    {
      address: address === null ? null : pciAddress(domain, bus, slot, fn),
      file: rom.attributes.get('file') ?? null,
      bar: !off,
    },
  ];
}
