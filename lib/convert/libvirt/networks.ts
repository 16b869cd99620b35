import {
  aliasElement,
  bootElement,
  type Reading,
  readBoot,
  readSlot,
  sectionOf,
  slotElement,
  type Writing,
} from './parts.ts';
import type { XmlNode } from './xml-node.ts';
import { type XmlElement, xml } from './xml-writer.ts';

export function writeNetworks(writing: Writing): readonly XmlElement[] {
  const { source, dropList } = writing;
  return source.sections('network').map((section) => {
    const type = source.text(section, 'type')!;
    const isMacvtap = type === 'macvtap';
    const name = source.said(section, 'interface');
    const bridge = source.said(section, 'bridge');
    const queues = source.number(section, 'queues');
    const vhost = source.said(section, 'vhost');
    const mac = source.said(section, 'mac');
    if (source.said(section, 'forward') !== null)
      dropList.add(`[${section}] forward`, 'libvirt’s user network forwards nothing without passt');
    if (isMacvtap && !name!.startsWith('macvtap'))
      dropList.add(
        `[${section}] type = macvtap`,
        `libvirt tells it from a tap only by the name: ${name} is none of macvtap…`,
      );
    const isKernel = type !== 'user';
    const driver = {
      name: vhost === null ? null : vhost === 'yes' ? 'vhost' : 'qemu',
      queues: isKernel && queues !== 1 ? queues : null,
    };
    return xml('interface', { type: type === 'tap' || isMacvtap ? 'ethernet' : type }, [
      mac === null ? null : xml('mac', { address: mac }),
      bridge === null ? null : xml('source', { bridge }),
      name === null ? null : xml('target', { dev: name, managed: 'no' }),
      xml('model', { type: source.text(section, 'model') }),
      driver.name === null && driver.queues === null ? null : xml('driver', driver),
      bootElement(section, writing),
      aliasElement(section, writing),
      slotElement(section, writing),
    ]);
  });
}

/** Reads every card; those that libvirt makes itself (networks, macvtap) become what comes next to it, and it is told. */
export function readNetworks(reading: Reading): void {
  const { devices, dropList } = reading;
  for (const card of devices?.all('interface') ?? []) {
    const type = card.attribute('type') ?? '';
    if (type === 'hostdev') {
      readFunctionCard(card, reading);
      continue;
    }
    const section = sectionOf(card, 'network', reading, 'net');
    const attached = ATTACHED[type]?.(card, reading) ?? null;
    if (attached === null) {
      dropList.add(
        `${card.path} (type=${type})`,
        'cards hang on QEMU’s own network, a bridge, or a tap or macvtap that is there',
      );
      card.settle();
      continue;
    }
    readCard(card, section, attached, reading);
  }
}

/** The keys that say what a card hangs on. */
type Attached = Readonly<Record<string, string>>;

const ATTACHED: Readonly<Record<string, (card: XmlNode, reading: Reading) => Attached | null>> = {
  user: () => ({ type: 'user' }),
  bridge: (card) => bridged(card.one('source')?.attribute('bridge') ?? null),
  network: (card, { dropList }) => {
    const source = card.one('source');
    const network = source?.attribute('network') ?? '';
    const bridge = source?.attribute('bridge') ?? (network === 'default' ? 'virbr0' : null);
    source?.settle();
    if (bridge === null) {
      dropList.add(
        `${card.path}/source/@network=${network}`,
        'only libvirt knows its bridge; taken as type user, write bridge = … in its place',
      );
      return { type: 'user' };
    }
    dropList.add(
      `${card.path}/source/@network=${network}`,
      `its bridge ${bridge} is used; libvirt must have started the network`,
    );
    return bridged(bridge);
  },
  ethernet: (card) => {
    const target = card.one('target');
    const name = target?.attribute('dev') ?? null;
    if (name === null || target?.attribute('managed') !== 'no') return null;
    return { type: name.startsWith('macvtap') ? 'macvtap' : 'tap', interface: name };
  },
};

function bridged(bridge: string | null): Attached | null {
  return bridge === null ? null : { type: 'bridge', bridge };
}

function readCard(card: XmlNode, section: string, attached: Attached, reading: Reading): void {
  const { draft } = reading;
  const mac = card.one('mac')?.attribute('address') ?? null;
  draft.put(section, 'type', attached.type!);
  for (const [key, value] of Object.entries(attached)) if (key !== 'type') draft.put(section, key, value);
  draft.put(section, 'model', card.one('model')?.attribute('type') ?? 'rtl8139');
  draft.put(section, 'mac', mac);
  const driver = card.one('driver');
  draft.put(section, 'queues', driver?.attribute('queues') ?? null);
  const name = driver?.attribute('name') ?? null;
  if (name !== null) draft.put(section, 'vhost', name === 'vhost' ? 'yes' : 'no');
  readBoot(card, section, reading);
  readSlot(card, section, reading);
  card.one('alias')?.settle();
  // A card on the usual network, of the usual model, with a made-up address has no other key
  if (draft.keys(section).length === 0) draft.set(section, 'type', attached.type!);
  // The name of the host's end is libvirt's to choose
  if (attached.interface === undefined) card.one('target')?.settle();
}

/** The function is among those of [devices]; what libvirt sets on it is not. */
function readFunctionCard(card: XmlNode, { dropList }: Reading): void {
  const mac = card.one('mac')?.attribute('address') ?? null;
  if (mac !== null)
    dropList.add(
      `${card.path}/mac/@address=${mac}`,
      'the address of a virtual function is set on its physical function, beforehand',
    );
  for (const name of ['vlan', 'virtualport'])
    if (card.one(name) !== null)
      dropList.add(`${card.path}/${name}`, 'it is set on the physical function, beforehand');
  card.settle();
}
