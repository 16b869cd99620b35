import { labelOf } from '../profile-source.ts';
import type { ProxmoxProperties } from './conf.ts';
import { freeKey, properties, type Reading, type Writing } from './parts.ts';

const MODELS = ['virtio', 'e1000e', 'e1000', 'rtl8139', 'vmxnet3'] as const;

export function writeNetworks(writing: Writing): void {
  const { source, dropList, options, keys } = writing;
  for (const section of source.sections('network')) {
    const type = source.text(section, 'type')!;
    const key = freeKey('net', labelOf(section), 31, new Set(options.keys()));
    if (key === null || type === 'tap' || type === 'macvtap') {
      dropList.add(
        `[${section}]`,
        key === null ? 'Proxmox has 32 cards' : 'Proxmox makes its taps itself, on a bridge',
      );
      for (const name of source.keys(section)) source.said(section, name);
      continue;
    }
    if (key !== labelOf(section)) dropList.add(`[${section}], its label`, `Proxmox calls it ${key}`);
    keys.set(section, key);
    if (source.said(section, 'forward') !== null)
      dropList.add(`[${section}] forward`, 'Proxmox’ user network forwards nothing');
    const model = source.text(section, 'model');
    const mac = source.said(section, 'mac')?.toUpperCase() ?? null;
    const card = mac === null ? { model } : { [model!]: mac };
    options.set(
      key,
      properties(
        `[${section}]`,
        { ...card, bridge: source.said(section, 'bridge') },
        mac === null ? 'model' : '',
        writing,
      ),
    );
  }
}

export function readNetworks(reading: Reading): void {
  for (const card of reading.conf.takeNumbered('net', 'model')) readNetwork(card, reading);
}

function readNetwork(card: ProxmoxProperties, { draft, dropList, sections }: Reading): void {
  const section = `network ${card.key}`;
  const named = card.names().find((name) => MODELS.includes(name as (typeof MODELS)[number]));
  const model = named ?? card.take('model');
  const mac = named === undefined ? card.take('macaddr') : card.take(named);
  if (model === null || !MODELS.includes(model as (typeof MODELS)[number])) {
    dropList.add(`${card.key}: ${model ?? card.names().join(',')}`, `cards are ${MODELS.join(', ')}`);
    return;
  }
  sections.set(card.key, section);
  const bridge = card.take('bridge');
  draft.put(section, 'type', bridge === null ? 'user' : 'bridge');
  draft.put(section, 'bridge', bridge);
  draft.put(section, 'model', model);
  draft.put(section, 'mac', mac?.toLowerCase() ?? null);
  if (draft.keys(section).length === 0) draft.set(section, 'type', 'user');
  if (!card.takeSwitch('firewall', false)) card.take('firewall');
  else dropList.add(`${card.key}, firewall=1`, 'the firewall is Proxmox’ own');
  card.drop('tag', 'the bridge, or an interface of that VLAN, must do it');
  card.drop('queues', 'queues are for a tap that is there');
  card.dropRest(() => 'the profile has no key for it');
}
