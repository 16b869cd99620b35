/** A storage of Proxmox VE: a name, and the places its volumes have on the host. */
export interface ProxmoxStorage {
  readonly name: string;
  /** Folder with images/ and template/iso/, or null. */
  readonly folder: string | null;
  /** Folder of block devices that have the volumes' names, or null. */
  readonly devices: string | null;
}

/** What the installer of Proxmox VE makes; used where there is no storage.cfg to read. */
export const INSTALLER_STORAGES: readonly ProxmoxStorage[] = [
  { name: 'local', folder: '/var/lib/vz', devices: null },
  { name: 'local-lvm', folder: null, devices: '/dev/pve' },
  { name: 'local-zfs', folder: null, devices: '/dev/zvol/rpool/data' },
];

/** Reads /etc/pve/storage.cfg: "type: name" in the first column, then indented "key value" lines. Other kinds have no place on the host. */
export function parseProxmoxStorages(text: string): readonly ProxmoxStorage[] {
  const storages: ProxmoxStorage[] = [];
  let type = '';
  let name: string | null = null;
  let keys = new Map<string, string>();
  const finish = (): void => {
    if (name === null) return;
    const folder =
      keys.get('path') ?? (/^(nfs|cifs|cephfs|glusterfs)$/.test(type) ? `/mnt/pve/${name}` : null);
    const group = keys.get('vgname');
    const pool = keys.get('pool');
    const devices =
      /^lvm(thin)?$/.test(type) && group !== undefined
        ? `/dev/${group}`
        : type === 'zfspool' && pool !== undefined
          ? `/dev/zvol/${pool}`
          : null;
    storages.push({ name, folder: devices === null ? folder : null, devices });
  };
  for (const line of text.split('\n')) {
    const heading = /^([a-z]+):\s*([A-Za-z][A-Za-z0-9._-]*)\s*$/.exec(line);
    if (heading !== null) {
      finish();
      [, type = '', name = null] = heading;
      keys = new Map();
      continue;
    }
    const key = /^\s+([a-z-]+)\s+(\S.*?)\s*$/.exec(line);
    if (key !== null) keys.set(key[1]!, key[2]!);
  }
  finish();
  return storages;
}

/** The path on the host of a volume ("local:100/vm-100-disk-0.qcow2", "/dev/sdb"), or null where it cannot be known. */
export function volumePath(volume: string, storages: readonly ProxmoxStorage[]): string | null {
  if (volume.startsWith('/')) return volume;
  const colon = volume.indexOf(':');
  const storage = storages.find(({ name }) => name === volume.slice(0, colon));
  const parts = volume.slice(colon + 1).split('/');
  if (storage === undefined || parts.some((part) => part === '' || part === '.' || part === '..'))
    return null;
  if (storage.devices !== null) return `${storage.devices}/${parts.at(-1)}`;
  if (storage.folder === null) return null;
  if (parts[0] === 'iso') return `${storage.folder}/template/iso/${parts.slice(1).join('/')}`;
  // A clone's volume is named behind that of its base
  return `${storage.folder}/images/${parts.slice(-2).join('/')}`;
}

/** The volume of a path, the inverse of volumePath; where no storage has it, Proxmox takes the path itself. */
export function volumeOf(path: string, storages: readonly ProxmoxStorage[]): string {
  for (const { name, folder, devices } of storages) {
    for (const [place, volume] of [
      [devices, ''],
      [folder === null ? null : `${folder}/images`, ''],
      [folder === null ? null : `${folder}/template/iso`, 'iso/'],
    ] as const) {
      if (place === null || !path.startsWith(`${place}/`)) continue;
      const candidate = `${name}:${volume}${path.slice(place.length + 1)}`;
      if (/^[\w:./+-]+$/.test(candidate) && volumePath(candidate, storages) === path) return candidate;
    }
  }
  return path;
}
