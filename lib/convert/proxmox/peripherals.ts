import { labelOf } from '../profile-source.ts';
import { sizeText } from '../size-text.ts';
import { freeKey, type Reading, type Writing } from './parts.ts';

const VGA_OF_VIDEO: Readonly<Record<string, string>> = {
  std: 'std',
  virtio: 'virtio',
  'virtio-gl': 'virtio-gl',
  qxl: 'qxl',
  none: 'none',
};
const AUDIO: Readonly<Record<string, string>> = { ich9: 'ich9-intel-hda', ich6: 'intel-hda', ac97: 'AC97' };
const SHARED = '/dev/shm/pve-shm-';

/** USB devices, the display, sound, the agent, the serial port and Looking Glass. */
export function writePeripherals(writing: Writing): void {
  const { source, dropList, options, keys } = writing;
  for (const section of source.sections('usb')) {
    const key = freeKey('usb', labelOf(section), 13, new Set(options.keys()));
    const host = source.said(section, 'id') ?? source.said(section, 'port');
    if (key === null || host === null) {
      dropList.add(`[${section}]`, 'Proxmox has 14 of them');
      continue;
    }
    if (key !== labelOf(section)) dropList.add(`[${section}], its label`, `Proxmox calls it ${key}`);
    keys.set(section, key);
    options.set(key, `host=${host}`);
  }
  writeDisplay(writing);
  const audio = source.text('audio', 'type');
  if (audio === 'none' && source.keys('audio').some((key) => key !== 'type'))
    dropList.add('[audio]', 'there is no sound card without a type');
  const card = AUDIO[source.text('audio', 'card')!];
  if (audio === 'spice' && card !== undefined) options.set('audio0', `device=${card},driver=spice`);
  else if (audio !== 'none')
    dropList.add('[audio]', `type = ${audio}: Proxmox has sound by SPICE only, by ich9, ich6 or ac97`);
  if (source.yes('agent', 'enable')) options.set('agent', '1');
  const serial = source.text('serial', 'type');
  if (serial === 'socket') options.set('serial0', 'socket');
  else if (serial !== 'none')
    dropList.add(`[serial] type = ${serial}`, 'Proxmox has sockets, and ports of the host');
  const tablets = source.sections('input').filter((section) => source.peek(section, 'type') === 'tablet');
  for (const section of source.sections('input')) {
    if (source.said(section, 'type') !== 'tablet')
      dropList.add(`[${section}]`, 'Proxmox has a tablet and PS/2 only');
    else if (labelOf(section) !== 'tablet')
      dropList.add(`[${section}]`, 'Proxmox has one tablet, without a name');
    for (const key of source.keys(section)) {
      source.said(section, key);
      if (key !== 'type') dropList.add(`[${section}] ${key}`, 'a tablet of Proxmox has none');
    }
  }
  if (tablets.length === 0) options.set('tablet', '0');
  writeLookingGlass(writing);
}

function writeDisplay({ source, dropList, options }: Writing): void {
  const type = source.text('display', 'type')!;
  const video = source.said('display', 'video') ?? (type === 'none' ? 'none' : 'virtio');
  const vga = type === 'spice' ? 'qxl' : type === 'none' ? 'none' : (VGA_OF_VIDEO[video] ?? 'virtio');
  if (type !== 'none' && vga !== video) dropList.add(`[display] video = ${video}`, `Proxmox has ${vga} here`);
  if (!['none', 'vnc', 'spice'].includes(type))
    dropList.add(`[display] type = ${type}`, 'Proxmox shows it in its own console');
  options.set('vga', vga);
  if (type === 'none' && video !== 'none')
    dropList.add(`[display] video = ${video}`, 'without a display there is none');
  if (type !== 'spice' && source.said('display', 'usb-redirection') !== null)
    dropList.add('[display] usb-redirection', 'only SPICE has it');
  const redirections = type === 'spice' ? (source.number('display', 'usb-redirection') ?? 0) : 0;
  for (let count = 0; count < redirections; count++) {
    const key = freeKey('usb', '', 13, new Set(options.keys()));
    if (key !== null) options.set(key, 'host=spice');
  }
}

function writeLookingGlass({ source, dropList, options }: Writing): void {
  if (source.keys('looking-glass').length === 0) return;
  const size = source.kib('looking-glass', 'size');
  const path = source.said('looking-glass', 'path') ?? '/dev/shm/looking-glass';
  if (size === null || source.text('looking-glass', 'type') !== 'shm') {
    dropList.add('[looking-glass]', 'Proxmox has shared memory in /dev/shm, of a size that is said');
    for (const key of source.keys('looking-glass')) source.said('looking-glass', key);
    return;
  }
  const name = /^\/dev\/shm\/pve-shm-([A-Za-z0-9]+)$/.exec(path)?.[1] ?? null;
  if (name === null) dropList.add('[looking-glass] path', `Proxmox makes it ${SHARED}lookingglass`);
  for (const key of ['resolution', 'hdr'])
    if (source.said('looking-glass', key) !== null)
      dropList.add(`[looking-glass] ${key}`, 'Proxmox only knows the size');
  options.set('ivshmem', `size=${Math.ceil(size / 1024)},name=${name ?? 'lookingglass'}`);
}

export function readPeripherals(reading: Reading): void {
  const { conf, draft, dropList, sections } = reading;
  let redirections = 0;
  for (const usb of conf.takeNumbered('usb', 'host')) {
    const host = usb.take('host');
    usb.take('usb3');
    if (host === 'spice') redirections++;
    else if (host === null || !/^[0-9a-f]{4}:[0-9a-f]{4}$|^\d+-\d+(\.\d+)*$/i.test(host))
      dropList.add(`${usb.key}: ${host ?? usb.take('mapping')}`, 'name the device by its ids or its port');
    else {
      draft.put(`usb ${usb.key}`, host.includes(':') ? 'id' : 'port', host.toLowerCase());
      sections.set(usb.key, `usb ${usb.key}`);
    }
    usb.dropRest(() => 'the profile has no key for it');
  }
  readDisplay(reading, redirections);
  const audio = conf.takeProperties('audio0', 'device');
  if (audio !== null) {
    const device = audio.take('device');
    const card = Object.keys(AUDIO).find((one) => AUDIO[one] === device) ?? 'ich9';
    const driver = audio.take('driver') ?? 'spice';
    if (driver === 'spice' && draft.get('display', 'type') === 'spice') {
      draft.put('audio', 'type', 'spice');
      draft.put('audio', 'card', card);
    } else
      dropList.add(
        'audio0',
        `nobody hears it: driver=${driver}, and the display is ${draft.get('display', 'type') ?? 'none'}`,
      );
  }
  const agent = conf.takeProperties('agent', 'enabled');
  draft.putYes('agent', 'enable', agent?.takeSwitch('enabled', false) ?? false);
  agent?.dropRest(() => 'it is for Proxmox’ own management');
  for (const serial of conf.takeNumbered('serial', 'path')) {
    const path = serial.take('path');
    if (serial.number === 0 && path === 'socket') draft.put('serial', 'type', 'socket');
    else
      dropList.add(
        `${serial.key}: ${path ?? ''}`,
        'a guest has one serial port, which ends in a socket, a pty or a file',
      );
  }
  if (conf.take('tablet') !== '0') draft.set('input tablet', 'type', 'tablet');
  const shared = conf.takeProperties('ivshmem', 'size');
  if (shared !== null) {
    draft.put('looking-glass', 'size', sizeText(Number(shared.take('size') ?? 0) * 1024));
    const name = shared.take('name');
    if (name === null) dropList.add('ivshmem, its name', 'Proxmox takes the number of the machine');
    else draft.put('looking-glass', 'path', `${SHARED}${name}`);
  }
}

function readDisplay({ conf, draft, dropList }: Reading, redirections: number): void {
  const vga = conf.takeProperties('vga', 'type');
  const type = vga?.take('type') ?? 'std';
  const isSpice = /^qxl\d?$/.test(type);
  const video = isSpice
    ? 'qxl'
    : (Object.keys(VGA_OF_VIDEO).find((one) => VGA_OF_VIDEO[one] === type) ?? null);
  if (type.startsWith('serial'))
    dropList.add(`vga: ${type}`, 'the guest has no screen; serial is a section of its own');
  else if (video === null)
    dropList.add(`vga: ${type}`, 'graphics cards are std, virtio, virtio-gl, qxl and none');
  const display = isSpice ? 'spice' : type === 'none' || type.startsWith('serial') ? 'none' : 'vnc';
  draft.put('display', 'type', display);
  if (display !== 'none') draft.put('display', 'video', video, 'virtio');
  if (isSpice) draft.put('display', 'usb-redirection', Math.min(redirections, 4));
  vga?.dropRest(() => 'the card has what QEMU gives it');
}
