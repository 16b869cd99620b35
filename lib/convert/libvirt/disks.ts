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
import { iothreadIds } from './placement.ts';
import type { XmlNode } from './xml-node.ts';
import { type XmlElement, xml } from './xml-writer.ts';

/** Disks and their virtio-scsi controllers: one for each combination of iothread and queues. */
export function writeDisks(writing: Writing): readonly XmlElement[] {
  const ids = iothreadIds(writing);
  const controllers: XmlElement[] = [];
  const scsi = new Map<string, number>();
  const counts = new Map<string, number>();
  const disks = writing.source.sections('disk').map((section) => {
    const facts = factsOf(section, writing);
    const prefix = { virtio: 'vd', ide: 'hd' }[facts.bus] ?? 'sd';
    const at = counts.get(prefix) ?? 0;
    counts.set(prefix, at + 1);
    const iothread = facts.iothread === null ? null : (ids.get(facts.iothread) ?? null);
    let address = slotElement(section, writing);
    if (facts.bus === 'scsi') {
      const key = `${iothread} ${facts.queues}`;
      const index = scsi.get(key) ?? scsi.size;
      if (!scsi.has(key)) {
        const driver =
          iothread === null && facts.queues === null
            ? null
            : xml('driver', { queues: facts.queues, iothread });
        controllers.push(xml('controller', { type: 'scsi', index, model: 'virtio-scsi' }, [driver]));
      }
      scsi.set(key, index);
      const unit = [...counts.values()].reduce((sum, count) => sum + count, 0) - 1;
      address = xml('address', { type: 'drive', controller: index, bus: 0, target: 0, unit });
    }
    return diskElement(section, facts, { writing, iothread, address, target: `${prefix}${letters(at)}` });
  });
  return [...controllers, ...disks];
}

interface DiskFacts {
  readonly isCd: boolean;
  readonly bus: string;
  readonly source: string | null;
  readonly cache: string;
  readonly iothread: string | null;
  readonly queues: number | null;
}

function factsOf(section: string, { source, dropList }: Writing): DiskFacts {
  const path = source.said(section, 'source');
  const type = source.said(section, 'type');
  const isCd = type === 'cdrom' || (type === null && (path ?? '').toLowerCase().endsWith('.iso'));
  const usual = !isCd ? 'virtio' : source.text('machine', 'type') === 'i440fx' ? 'ide' : 'sata';
  const said = source.said(section, 'bus') ?? usual;
  if (said === 'nvme')
    dropList.add(`[${section}] bus = nvme`, 'libvirt has no NVMe of its own before 11.5; written as sata');
  const bus = said === 'nvme' ? 'sata' : said;
  if (bus !== 'virtio' && source.said(section, 'slot') !== null)
    dropList.add(`[${section}] slot`, `it is the controller that has one, with bus ${bus}`);
  if (bus !== 'virtio' && bus !== 'scsi')
    for (const key of ['iothread', 'queues'])
      if (source.said(section, key) !== null) dropList.add(`[${section}] ${key}`, `bus ${bus} has none`);
  return {
    isCd,
    bus,
    source: path,
    cache: source.said(section, 'cache') ?? (isCd ? 'writeback' : 'none'),
    iothread: source.said(section, 'iothread'),
    queues: source.number(section, 'queues'),
  };
}

function diskElement(
  section: string,
  facts: DiskFacts,
  how: {
    readonly writing: Writing;
    readonly iothread: number | null;
    readonly address: XmlElement | null;
    readonly target: string;
  },
): XmlElement {
  const { writing } = how;
  const { source, dropList } = writing;
  const { isCd, bus, cache } = facts;
  const isBlock = facts.source?.startsWith('/dev/') === true;
  const isSsd = source.yes(section, 'ssd');
  const turns = !isCd && (bus === 'scsi' || bus === 'sata' || bus === 'ide');
  if (!turns && source.said(section, 'ssd') === 'no')
    dropList.add(`[${section}] ssd`, 'libvirt says of disks on scsi, sata and ide whether they turn');
  const isReadOnly = source.yes(section, 'read-only', isCd);
  const format = source.said(section, 'format') ?? (facts.source?.endsWith('.qcow2') ? 'qcow2' : 'raw');
  const isDirect = cache === 'none' || cache === 'directsync';
  const driver = xml('driver', {
    name: 'qemu',
    type: format,
    cache,
    io: source.said(section, 'aio') ?? (isDirect ? 'native' : 'threads'),
    discard: source.yes(section, 'discard') ? 'unmap' : 'ignore',
    iothread: bus === 'virtio' ? how.iothread : null,
    queues: bus === 'virtio' ? facts.queues : null,
  });
  return xml('disk', { type: isBlock ? 'block' : 'file', device: isCd ? 'cdrom' : 'disk' }, [
    driver,
    facts.source === null ? null : xml('source', { [isBlock ? 'dev' : 'file']: facts.source }),
    xml('target', { dev: how.target, bus, rotation_rate: turns && isSsd ? 1 : null }),
    isReadOnly ? xml('readonly') : null,
    serialElement(section, writing),
    bootElement(section, writing),
    aliasElement(section, writing),
    bus === 'virtio' || bus === 'scsi' ? how.address : null,
  ]);
}

function serialElement(section: string, { source, dropList }: Writing): XmlElement | null {
  const serial = source.said(section, 'serial');
  if (serial !== null && !/^[A-Za-z0-9_.+ -]+$/.test(serial)) {
    dropList.add(`[${section}] serial`, 'libvirt takes letters, digits, spaces and _ . + - in it');
    return null;
  }
  return serial === null ? null : xml('serial', {}, serial);
}

/** 0 is a, 25 z, 26 aa, as the kernel counts disks. */
function letters(at: number): string {
  return at < 26 ? String.fromCharCode(97 + at) : letters(Math.floor(at / 26) - 1) + letters(at % 26);
}

/** Reads every disk; those of the network, of volumes and of NVMe functions are no files of the host. */
export function readDisks(reading: Reading): void {
  const { devices, dropList } = reading;
  for (const disk of devices?.all('disk') ?? []) {
    const type = disk.attribute('type') ?? 'file';
    const device = disk.attribute('device') ?? 'disk';
    const path = disk.one('source')?.attribute(type === 'block' ? 'dev' : 'file') ?? null;
    const isKnown = (type === 'file' || type === 'block') && (device === 'disk' || device === 'cdrom');
    // What an <disk type='nvme'> passes is among the functions of [devices]
    if (type === 'nvme') disk.settle();
    else if (!isKnown || (device === 'disk' && path === null)) {
      dropList.add(
        `${disk.path} (type=${type} device=${device})`,
        'disks are files and block devices of the host, or CD drives',
      );
      disk.settle();
    } else readDisk(disk, path, device === 'cdrom', reading);
  }
  for (const controller of devices?.all('controller') ?? []) {
    if (['ide', 'sata', 'scsi'].includes(controller.attribute('type') ?? '')) controller.settle();
  }
}

function readDisk(disk: XmlNode, path: string | null, isCd: boolean, reading: Reading): void {
  const { draft, root } = reading;
  const target = disk.one('target');
  const section = sectionOf(disk, 'disk', reading, isCd ? 'cd' : (target?.attribute('dev') ?? 'disk'));
  const isIso = (path ?? '').toLowerCase().endsWith('.iso');
  if (path !== null) draft.put(section, 'source', path);
  draft.put(
    section,
    'type',
    isCd ? 'cdrom' : 'disk',
    isCd === isIso && path !== null ? (isCd ? 'cdrom' : 'disk') : null,
  );
  const driver = disk.one('driver');
  driver?.attribute('name');
  draft.put(
    section,
    'format',
    driver?.attribute('type') ?? 'raw',
    path?.endsWith('.qcow2') ? 'qcow2' : 'raw',
  );
  const usual = !isCd ? 'virtio' : draft.get('machine', 'type') === 'i440fx' ? 'ide' : 'sata';
  const bus = target?.attribute('bus') ?? usual;
  draft.put(section, 'bus', bus, usual);

  const said = driver?.attribute('cache') ?? 'default';
  const cache = said === 'default' ? 'writeback' : said;
  draft.put(section, 'cache', cache, isCd ? 'writeback' : 'none');
  const usualIo = cache === 'none' || cache === 'directsync' ? 'native' : 'threads';
  draft.put(section, 'aio', driver?.attribute('io') ?? 'threads', usualIo);
  if (!isCd || driver?.attribute('discard') != null)
    draft.putYes(section, 'discard', driver?.attribute('discard') === 'unmap');
  draft.putYes(section, 'read-only', disk.one('readonly') !== null, isCd);
  draft.put(section, 'serial', disk.one('serial')?.text() || null);
  const rotation = target?.attribute('rotation_rate') ?? null;
  if (!isCd && ['scsi', 'sata', 'ide'].includes(bus)) draft.putYes(section, 'ssd', rotation === '1');

  const controller = bus === 'scsi' ? controllerOf(disk, root) : null;
  const queueing = bus === 'scsi' ? (controller?.one('driver') ?? null) : driver;
  if (bus === 'virtio' || bus === 'scsi') {
    draft.put(section, 'queues', queueing?.attribute('queues') ?? null);
    const iothread = queueing?.attribute('iothread') ?? null;
    if (iothread !== null) draft.put(section, 'iothread', `io${iothread}`);
  }
  readBoot(disk, section, reading);
  if (disk.one('address')?.attribute('type') === 'drive') disk.one('address')?.settle();
  else readSlot(disk, section, reading);
  if ((disk.one('backingStore')?.one('source') ?? null) !== null)
    reading.dropList.add(`${disk.path}/backingStore`, 'the image itself says what it is based on');
  disk.one('backingStore')?.settle();
  for (const element of [disk.one('alias'), target]) element?.settle();
  disk.one('source')?.attribute('index');
}

function controllerOf(disk: XmlNode, root: XmlNode): XmlNode | null {
  const index = disk.one('address')?.attribute('controller') ?? '0';
  const all = root.one('devices')?.all('controller') ?? [];
  return (
    all.find((one) => one.attribute('type') === 'scsi' && (one.attribute('index') ?? '0') === index) ?? null
  );
}
