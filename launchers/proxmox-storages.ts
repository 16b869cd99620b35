import {
  INSTALLER_STORAGES,
  type ProxmoxStorage,
  parseProxmoxStorages,
} from '../lib/convert/proxmox/storage.ts';
import type { Host } from '../lib/host/host.ts';

/** The storages of this host's Proxmox VE; where there is none, those that its installer makes. */
export function readProxmoxStorages(host: Host): readonly ProxmoxStorage[] {
  const text = host.readOptional('/etc/pve/storage.cfg');
  return text === null ? INSTALLER_STORAGES : parseProxmoxStorages(text);
}
