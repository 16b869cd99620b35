import type { Labelled } from '../inputs/run-profile.ts';
import { idOf, option, type PropertyValue } from './option.ts';
import type { RunBuild } from './run-build.ts';

type Disk = Labelled<'disk'>;

/** Threads that serve disks, SCSI controllers, and the disks themselves: contents first, because devices name them. */
export function addDisks(build: RunBuild): void {
  const { disks } = build.run;
  const threads = [...new Set(disks.flatMap(({ iothread }) => iothread ?? []))];
  for (const name of threads) build.object('iothread', { id: iothreadId(name) });
  const controllers = new Map<string, string>();
  for (const [index, disk] of disks.entries()) addDisk(build, disk, `drive${index}`, controllers);
}

/** The object of an iothread, as query-iothreads shows it. */
export function iothreadId(name: string): string {
  return idOf('iothread', name);
}

function addDisk(build: RunBuild, disk: Disk, node: string, controllers: Map<string, string>): void {
  const isCd = disk.type === 'cdrom' || (disk.type === null && disk.source?.endsWith('.iso') === true);
  if (disk.source !== null) addContent(build, disk, disk.source, node, isCd);
  const cache = disk.cache ?? (isCd ? 'writeback' : 'none');
  const common: Record<string, PropertyValue> = {
    id: idOf('disk', disk.label),
    drive: disk.source === null ? null : node,
    bootindex: disk.boot,
    serial: disk.serial,
    'write-cache': cache === 'writethrough' || cache === 'directsync' ? false : null,
  };
  const rate = disk.ssd && !isCd ? 1 : null;
  const bus = disk.bus ?? (isCd ? 'sata' : 'virtio');
  if (isCd && (bus === 'virtio' || bus === 'nvme')) {
    build.refuse(
      'no-cd-bus',
      `Cannot make a CD drive of [disk ${disk.label}]: ${bus} has none`,
      'Give it bus sata or scsi',
    );
  }
  switch (bus) {
    case 'virtio':
      build.device('virtio-blk-pci', {
        ...common,
        ...build.place(disk.slot),
        iothread: threadOf(disk),
        'num-queues': disk.queues,
      });
      return;
    case 'scsi': {
      const { id, lun } = scsiPlace(build, disk, controllers);
      build.device(isCd ? 'scsi-cd' : 'scsi-hd', {
        ...common,
        bus: `${id}.0`,
        channel: 0,
        'scsi-id': 0,
        lun,
        rotation_rate: rate,
      });
      return;
    }
    case 'nvme':
      build.device('nvme', {
        ...common,
        serial: disk.serial ?? disk.label.slice(0, 20),
        ...build.place(disk.slot),
      });
      return;
    case 'usb':
      build.device('usb-storage', { ...common, bus: 'usb.0', removable: isCd ? null : true });
      return;
    default:
      build.device(isCd ? 'ide-cd' : 'ide-hd', { ...common, ...build.sataPort(), rotation_rate: rate });
  }
}

/** What is on the disk: -blockdev, the format above the file. The format is never asked of the content, which the guest writes. */
function addContent(build: RunBuild, disk: Disk, source: string, node: string, isCd: boolean): void {
  const name = `[disk ${disk.label}]`;
  build.needFile(source, name, ['file', 'block']);
  const isBlock = build.picture.files.get(source)?.kind === 'block';
  if (isBlock && build.picture.busyDisks.has(source)) {
    build.refuse(
      'disk-busy',
      `Cannot give ${source} to the guest as ${name}: the host uses it`,
      'Unmount it, and take it out of swap, LVM and RAID',
    );
  }
  const cache = disk.cache ?? (isCd ? 'writeback' : 'none');
  const direct = cache === 'none' || cache === 'directsync';
  const format = disk.format ?? (source.endsWith('.qcow2') ? 'qcow2' : 'raw');
  const readOnly = isCd || disk.readOnly === true;
  const discards = disk.discard && !readOnly ? 'unmap' : null;
  const caching = { 'cache.direct': direct, 'cache.no-flush': cache === 'unsafe' };
  build.add(
    '-blockdev',
    option('', {
      driver: format,
      'node-name': node,
      'read-only': readOnly,
      discard: discards,
      ...caching,
      'file.driver': isBlock ? 'host_device' : 'file',
      'file.filename': source,
      'file.aio': disk.aio ?? (direct ? 'native' : 'threads'),
      'file.discard': discards,
      ...Object.fromEntries(Object.entries(caching).map(([key, value]) => [`file.${key}`, value])),
    }),
  );
}

function threadOf({ iothread }: Disk): string | null {
  return iothread === null ? null : iothreadId(iothread);
}

/** One controller for each iothread, and one for all disks without. */
function scsiPlace(
  build: RunBuild,
  disk: Disk,
  controllers: Map<string, string>,
): { id: string; lun: number } {
  const name = disk.iothread ?? '';
  let id = controllers.get(name);
  if (id === undefined) {
    id = `scsi${controllers.size}`;
    controllers.set(name, id);
    build.device('virtio-scsi-pci', {
      id,
      ...build.place(disk.slot),
      iothread: threadOf(disk),
      num_queues: disk.queues,
    });
  }
  const lun = build.run.disks
    .filter((one) => one.bus === 'scsi' && (one.iothread ?? '') === name)
    .indexOf(disk);
  return { id, lun };
}
