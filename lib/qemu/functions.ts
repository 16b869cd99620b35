import type { Labelled } from '../inputs/run-profile.ts';
import { type PciAddress, pciFunction, pciSlot } from '../words/pci-address.ts';
import { idOf, type PropertyValue } from './option.ts';
import type { RunBuild } from './run-build.ts';

type Options = Labelled<'device'>;

/** One function that the guest gets. */
interface Given {
  readonly label: string;
  readonly address: PciAddress | null;
  /** What the host has it by: its address, or its folder. */
  readonly source: Readonly<Record<string, PropertyValue>>;
  readonly options: Options | null;
}

/**
 * The functions of [devices] and mediated ones. Functions of one card of the host are one card in the guest too, behind one root port,
 * because drivers of graphics cards look for their sound function beside them; virtual functions are cards of their own.
 */
export function addFunctions(build: RunBuild): readonly { address: PciAddress; id: string }[] {
  const cards = cardsOf(build);
  const usesIommufd = cards.length > 0 && wantsIommufd(build);
  if (usesIommufd) build.object('iommufd', { id: 'iommufd' });
  for (const card of cards) addCard(build, card, usesIommufd);
  return cards
    .flat()
    .flatMap(({ address, label }) => (address === null ? [] : [{ address, id: idOf('device', label) }]));
}

function cardsOf(build: RunBuild): Given[][] {
  const { whole, run, picture } = build;
  const cards = new Map<string, Given[]>();
  for (const { label } of whole.host.devices.requests) {
    const found = picture.functions.get(label) ?? null;
    if (found === null) {
      build.refuse(
        'device-unclear',
        `Cannot give ${label} to ${run.guest}: there is no such function, or more than one`,
        'passqemu devices lists them, passqemu plan says more',
      );
      continue;
    }
    const options = run.devices.find((one) => one.label === label) ?? null;
    const card = options?.with ?? null;
    const key = card !== null ? keyOf(build, card) : keyOf(build, label);
    const given = { label, address: found.address, source: { host: found.address }, options };
    cards.set(key, [...(cards.get(key) ?? []), given]);
  }
  for (const options of run.devices) {
    const path = options.mdev === null ? options.sysfsDevice : `/sys/bus/mdev/devices/${options.mdev}`;
    if (path === null) continue;
    build.needFile(path, `[device ${options.label}]`, ['folder']);
    cards.set(`own ${options.label}`, [
      { label: options.label, address: null, source: { sysfsdev: path }, options },
    ]);
  }
  return [...cards.values()];
}

/** The card of the host that a label's function is of. */
function keyOf({ picture }: RunBuild, label: string): string {
  const found = picture.functions.get(label);
  if (found === null || found === undefined) return `none ${label}`;
  return found.isVirtual ? found.address : pciSlot(found.address);
}

function addCard(build: RunBuild, card: readonly Given[], usesIommufd: boolean): void {
  const slots = card.flatMap(({ options }) => options?.slot ?? []);
  const numbers = numbersOf(build, card);
  const place = build.place(slots[0] ?? null);
  const order = [...card.keys()].sort((a, b) => numbers[a]! - numbers[b]!);
  for (const index of order) {
    const { label, source, options } = card[index]!;
    const number = numbers[index]!;
    checkFunction(build, label, options);
    build.device('vfio-pci', {
      ...source,
      id: idOf('device', label),
      bus: place.bus,
      addr: card.length === 1 ? place.addr : `${place.addr}.${number}`,
      multifunction: card.length > 1 && number === 0 ? true : null,
      iommufd: usesIommufd ? 'iommufd' : null,
      'x-vga': options?.xVga === true || null,
      romfile: options?.romfile,
      rombar: options?.romBar === undefined || options.romBar === null ? null : options.romBar ? 1 : 0,
      display: options?.display,
      'x-pci-vendor-id': hex(options?.vendorId),
      'x-pci-device-id': hex(options?.deviceId),
      'x-pci-sub-vendor-id': hex(options?.subVendorId),
      'x-pci-sub-device-id': hex(options?.subDeviceId),
      bootindex: options?.boot,
    });
  }
}

/** The guest's function numbers: those asked for, else the host's; and one of them must be 0, or the guest looks no further. */
function numbersOf(build: RunBuild, card: readonly Given[]): number[] {
  if (card.length === 1) {
    const asked = card[0]!.options?.function ?? 0;
    if (asked !== 0)
      build.refuse(
        'no-function-0',
        `Cannot give ${card[0]!.label} as function ${asked}: it is alone on its card, the guest finds function 0 only`,
        'Leave function out',
      );
    return [0];
  }
  const numbers = card.map(
    ({ options, address }) => options?.function ?? (address === null ? 0 : pciFunction(address)),
  );
  const isAsked = card.some(({ options }) => (options?.function ?? null) !== null);
  if (!numbers.includes(0) && !isAsked) numbers[numbers.indexOf(Math.min(...numbers))] = 0;
  const names = card.map(({ label }) => label).join(' and ');
  if (!numbers.includes(0))
    build.refuse(
      'no-function-0',
      `Cannot give ${names} as one card: none of them is function 0`,
      'Give one of them function = 0',
    );
  if (new Set(numbers).size !== numbers.length)
    build.refuse(
      'same-function',
      `Cannot give ${names} as one card: two of them have the same function number`,
      'Give each a function of its own',
    );
  return numbers;
}

function checkFunction(build: RunBuild, label: string, options: Options | null): void {
  if (options === null) return;
  if (options.romfile !== null) build.needFile(options.romfile, `the ROM of ${label}`);
  if (options.xVga && build.run.display.video !== null && build.run.display.video !== 'none') {
    build.refuse(
      'two-vga',
      `Cannot give ${label} with x-vga: ${build.run.display.video} answers for VGA already`,
      'Set video = none in [display], or leave x-vga out',
    );
  }
}

/** Asked of QEMU and the kernel: 9.0 and 6.6 can have it, but need not. */
function wantsIommufd(build: RunBuild): boolean {
  const { run, qemu, picture } = build;
  const { iommufd } = run.machine;
  const has = qemu.objects.has('iommufd') && qemu.vfioProperties.has('iommufd');
  if (iommufd === 'auto') return has && picture.iommufd;
  if (iommufd === 'no') return false;
  if (!has) build.refuseLack('iommufd');
  if (!picture.iommufd) {
    build.refuse(
      'no-iommufd',
      `Cannot give functions of ${run.guest} by iommufd: the kernel has no /dev/iommu or no character devices for them`,
      'It needs CONFIG_IOMMUFD and CONFIG_VFIO_DEVICE_CDEV; iommufd = auto takes it only where it is there',
    );
  }
  return true;
}

function hex(id: string | null | undefined): string | null {
  return id === null || id === undefined ? null : `0x${id}`;
}
