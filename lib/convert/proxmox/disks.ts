import { labelOf } from '../profile-source.ts';
import type { ProxmoxProperties } from './conf.ts';
import { freeKey, properties, type Reading, type Writing } from './parts.ts';
import { volumeOf, volumePath } from './storage.ts';

/** The buses of Proxmox and their highest numbers. */
const BUSES = { virtio: 15, scsi: 30, sata: 5, ide: 3 } as const;
type Bus = keyof typeof BUSES;

export function writeDisks(writing: Writing): void {
  const { source, dropList, options, keys, storages } = writing;
  const threads = new Map<string, string>();
  const isQ35 = source.text('machine', 'type') === 'q35';
  for (const section of source.sections('disk')) {
    const path = source.said(section, 'source');
    const said = source.said(section, 'type');
    const isCd = said === 'cdrom' || (said === null && (path ?? '').toLowerCase().endsWith('.iso'));
    const wanted = source.said(section, 'bus') ?? (!isCd ? 'virtio' : isQ35 ? 'sata' : 'ide');
    const bus = Object.hasOwn(BUSES, wanted) ? (wanted as Bus) : 'sata';
    if (bus !== wanted)
      dropList.add(`[${section}] bus = ${wanted}`, 'Proxmox has virtio, scsi, sata and ide; written as sata');
    const key = freeKey(bus, labelOf(section), BUSES[bus], new Set(options.keys()));
    const isWritable = path === null || !path.includes(',');
    if (key === null || !isWritable) {
      const why = isWritable
        ? `Proxmox has ${BUSES[bus] + 1} disks on ${bus}`
        : 'Proxmox takes no comma in a path';
      dropList.add(`[${section}]`, why);
      for (const name of source.keys(section)) source.said(section, name);
      continue;
    }
    if (key !== labelOf(section)) dropList.add(`[${section}], its label`, `Proxmox calls it ${key}`);
    keys.set(section, key);
    const iothread = source.said(section, 'iothread');
    const other = iothread === null ? undefined : threads.get(iothread);
    if (other !== undefined)
      dropList.add(
        `[${section}] iothread = ${iothread}`,
        `each disk has a thread of its own in Proxmox; ${other} has one too`,
      );
    if (iothread !== null) threads.set(iothread, key);
    const queues = source.said(section, 'queues');
    if (queues !== null && bus !== 'scsi') dropList.add(`[${section}] queues`, 'Proxmox has them on scsi');
    const cache = source.said(section, 'cache') ?? (isCd ? 'writeback' : 'none');
    const isDirect = cache === 'none' || cache === 'directsync';
    const turns = bus !== 'virtio' && !isCd;
    const serial = source.said(section, 'serial');
    const format = source.said(section, 'format') ?? (path?.endsWith('.qcow2') ? 'qcow2' : 'raw');
    const isShown = !isCd && path !== null && volumeOf(path, storages) === path && !path.startsWith('/dev/');
    if (!isShown && format !== (path?.endsWith('.qcow2') ? 'qcow2' : 'raw'))
      dropList.add(`[${section}] format`, 'Proxmox knows the format of its volumes, devices and CDs itself');
    if (iothread !== null && iothread !== key)
      dropList.add(
        `[${section}] iothread = ${iothread}`,
        'each disk has a thread of its own in Proxmox, without a name',
      );
    const values = {
      file: path === null ? 'none' : volumeOf(path, storages),
      media: isCd ? 'cdrom' : null,
      cache: cache === 'none' ? null : cache,
      aio: isCd ? null : (source.said(section, 'aio') ?? (isDirect ? 'native' : 'threads')),
      discard: !isCd && source.yes(section, 'discard') ? 'on' : null,
      format: isShown ? format : null,
      iothread: iothread === null ? null : 1,
      queues: bus === 'scsi' ? queues : null,
      ro: !isCd && source.yes(section, 'read-only') ? 1 : null,
      serial: serial === null ? null : encodeURIComponent(serial),
      ssd: turns && source.yes(section, 'ssd') ? 1 : null,
    };
    options.set(key, properties(`[${section}]`, values, 'file', writing));
  }
  const hasScsi = [...keys.values()].some((key) => key.startsWith('scsi'));
  if (hasScsi) options.set('scsihw', threads.size > 0 ? 'virtio-scsi-single' : 'virtio-scsi-pci');
}

export function readDisks(reading: Reading): void {
  const { conf, dropList } = reading;
  const controller = conf.take('scsihw') ?? 'lsi';
  const alias = conf.takeProperties('cdrom', 'file');
  if (alias !== null) readDisk('ide', alias, reading);
  for (const bus of Object.keys(BUSES) as Bus[])
    for (const disk of conf.takeNumbered(bus, 'file')) readDisk(bus, disk, reading);
  const hasScsi = [...reading.sections.keys()].some((key) => key.startsWith('scsi'));
  if (hasScsi && !controller.startsWith('virtio-scsi'))
    dropList.add(
      `scsihw: ${controller}`,
      'SCSI disks hang on virtio-scsi; a guest without its driver does not see them',
    );
  for (const disk of conf.takeNumbered('unused', 'file'))
    dropList.add(`${disk.key}: ${disk.take('file') ?? ''}`, 'the machine does not use it');
}

function readDisk(bus: Bus, disk: ProxmoxProperties, reading: Reading): void {
  const { draft, dropList, storages, sections } = reading;
  const section = `disk ${disk.key}`;
  const volume = disk.take('file') ?? 'none';
  const isCd = disk.take('media') === 'cdrom' || disk.key === 'cdrom';
  const path = volume === 'none' || volume === 'cdrom' ? null : volumePath(volume, storages);
  if (path === null && !(isCd && volume === 'none')) {
    dropList.add(
      `${disk.key}: ${volume}`,
      volume.includes('cloudinit') || volume === 'cdrom'
        ? 'Proxmox makes it'
        : 'where the volume is on the host is not known',
    );
    return;
  }
  sections.set(disk.key, section);
  const isIso = (path ?? '').toLowerCase().endsWith('.iso');
  const isQ35 = draft.get('machine', 'type') !== 'i440fx';
  if (path !== null) draft.set(section, 'source', path);
  draft.put(
    section,
    'type',
    isCd ? 'cdrom' : 'disk',
    path !== null && isCd === isIso ? (isCd ? 'cdrom' : 'disk') : null,
  );
  const own = bus === 'ide' && isQ35 ? 'sata' : bus;
  if (own !== bus) dropList.add(`${disk.key}, its bus`, 'q35 has no IDE; it is on sata');
  draft.put(section, 'bus', own, !isCd ? 'virtio' : isQ35 ? 'sata' : 'ide');
  const cache = disk.take('cache') ?? (isCd ? 'writeback' : 'none');
  draft.put(section, 'cache', cache, isCd ? 'writeback' : 'none');
  const isDirect = cache === 'none' || cache === 'directsync';
  const aio = disk.take('aio') ?? 'io_uring';
  if (!isCd) draft.put(section, 'aio', aio, isDirect ? 'native' : 'threads');
  const discard = disk.take('discard') === 'on';
  if (!isCd) draft.putYes(section, 'discard', discard);
  const format = disk.take('format') ?? (path?.endsWith('.qcow2') ? 'qcow2' : 'raw');
  if (!isCd) draft.put(section, 'format', format, path?.endsWith('.qcow2') ? 'qcow2' : 'raw');
  if (disk.takeSwitch('iothread', false)) draft.put(section, 'iothread', disk.key);
  draft.put(section, 'queues', disk.take('queues'));
  draft.putYes(section, 'read-only', disk.takeSwitch('ro', false) || isCd, isCd);
  const serial = disk.take('serial');
  if (serial !== null) draft.put(section, 'serial', decodeSafely(serial));
  const isSsd = disk.takeSwitch('ssd', false);
  if (!isCd && own !== 'virtio') draft.putYes(section, 'ssd', isSsd);
  disk.take('size');
  for (const name of ['backup', 'replicate', 'shared']) disk.drop(name, 'it is for Proxmox’ own management');
  disk.dropRest(() => 'the profile has no key for it');
}

function decodeSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
