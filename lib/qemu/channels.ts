import { idOf, option, type PropertyValue } from './option.ts';
import type { RunBuild } from './run-build.ts';
import type { RunSockets, Sidecar } from './run-plan.ts';

/** Serial port, guest agent and SPICE's agent; gives the sockets. */
export function addChannels(build: RunBuild): Pick<RunSockets, 'agent' | 'serial'> {
  const { serial, agent, display } = build.run;
  const sockets = { agent: null as string | null, serial: null as string | null };
  if (serial.type !== 'none') {
    if (serial.type === 'socket') sockets.serial = serial.path ?? `${build.picture.runFolder}/serial.sock`;
    build.add('-chardev', serialChardev(serial.type, sockets.serial ?? serial.path));
    build.add('-device', option('isa-serial', { id: 'serial', chardev: 'serial' }));
  }
  const hasSpice = display.type === 'spice' && display.agent;
  if (agent.enable || hasSpice) build.device('virtio-serial-pci', { id: 'channels', ...build.place(null) });
  if (agent.enable) {
    sockets.agent = agent.path ?? `${build.picture.runFolder}/agent.sock`;
    build.add('-chardev', option('socket', { id: 'agent', path: sockets.agent, server: true, wait: false }));
    build.device('virtserialport', {
      id: 'agent-port',
      bus: 'channels.0',
      chardev: 'agent',
      name: 'org.qemu.guest_agent.0',
    });
  }
  if (hasSpice) {
    build.add('-chardev', option('spicevmc', { id: 'spice-agent', name: 'vdagent' }));
    build.device('virtserialport', {
      id: 'spice-port',
      bus: 'channels.0',
      chardev: 'spice-agent',
      name: 'com.redhat.spice.0',
    });
  }
  return sockets;
}

function serialChardev(type: 'socket' | 'pty' | 'file' | 'stdio', path: string | null): string {
  const id = { id: 'serial' };
  if (type === 'socket') return option('socket', { ...id, path, server: true, wait: false });
  if (type === 'file') return option('file', { ...id, path, append: true });
  // Ctrl-C is the launcher's
  return type === 'pty' ? option('pty', id) : option('stdio', { ...id, signal: false });
}

/** Folders of the host: a daemon for each, which QEMU talks to by a socket. */
export function addShares(build: RunBuild): readonly Sidecar[] {
  return build.run.shares.map(({ label, source, tag, readOnly, cache, slot, virtiofsd }) => {
    const id = idOf('share', label);
    const socket = `${build.picture.runFolder}/${id}.sock`;
    build.needFile(source!, `[share ${label}]`, ['folder']);
    build.add('-chardev', option('socket', { id, path: socket }));
    build.device('vhost-user-fs-pci', {
      id: `${id}-fs`,
      chardev: id,
      tag: tag ?? label,
      ...build.place(slot),
    });
    const found = build.picture.programs.virtiofsd;
    if (found === null) {
      build.refuse(
        'no-virtiofsd',
        `Cannot share ${source} with the guest: virtiofsd is not installed`,
        virtiofsd === null ? 'Install the package virtiofsd' : `There is no ${virtiofsd}`,
      );
    }
    return {
      name: `virtiofsd of ${label}`,
      argv: daemonWords(build, found, socket, { source: source!, readOnly, cache }),
      socket,
      asUser: false,
    };
  });
}

/** The daemon in C (QEMU 7.2 and before) took mount options, the one in Rust has options of its own. */
function daemonWords(
  build: RunBuild,
  found: { readonly path: string; readonly kind: 'c' | 'rust' } | null,
  socket: string,
  share: { readonly source: string; readonly readOnly: boolean; readonly cache: 'auto' | 'always' | 'never' },
): string[] {
  const path = found?.path ?? 'virtiofsd';
  if (found?.kind !== 'c') {
    const words = [path, `--socket-path=${socket}`, `--shared-dir=${share.source}`, `--cache=${share.cache}`];
    return share.readOnly ? [...words, '--readonly'] : words;
  }
  const cache = share.cache === 'never' ? 'none' : share.cache;
  if (share.readOnly)
    build.refuse(
      'virtiofsd-old',
      `Cannot share ${share.source} for reading only: ${path} is the old one, which cannot`,
      'Install virtiofsd 1.8 or later',
    );
  if (/[,\\]/.test(share.source))
    build.refuse(
      'virtiofsd-old',
      `Cannot share ${share.source}: ${path} is the old one, which takes no comma or backslash in a path`,
      'Install virtiofsd 1.0 or later, or rename the folder',
    );
  return [path, `--socket-path=${socket}`, '-o', `source=${share.source}`, '-o', `cache=${cache}`];
}

/** What the guest reads of its maker, and blobs for its firmware. */
export function addTables(build: RunBuild): void {
  const { smbios, fwCfg } = build.run;
  const host = (name: string): string | null => (smbios.host ? (build.picture.dmi.get(name) ?? null) : null);
  table(build, 0, {
    vendor: smbios.biosVendor ?? host('bios_vendor'),
    version: smbios.biosVersion ?? host('bios_version'),
    date: smbios.biosDate ?? host('bios_date'),
  });
  table(build, 1, {
    manufacturer: smbios.manufacturer ?? host('sys_vendor'),
    product: smbios.product ?? host('product_name'),
    version: smbios.version ?? host('product_version'),
    serial: smbios.serial ?? host('product_serial'),
    sku: smbios.sku ?? host('product_sku'),
    family: smbios.family ?? host('product_family'),
  });
  table(build, 2, {
    manufacturer: smbios.boardManufacturer ?? host('board_vendor'),
    product: smbios.boardProduct ?? host('board_name'),
    version: smbios.boardVersion ?? host('board_version'),
    serial: smbios.boardSerial ?? host('board_serial'),
  });
  for (const { label, name, text, file } of fwCfg) {
    if (file !== null) build.needFile(file, `[fw-cfg ${label}]`);
    build.add('-fw_cfg', option('', { name, string: text, file }));
  }
}

function table(build: RunBuild, type: number, fields: Readonly<Record<string, PropertyValue>>): void {
  if (Object.values(fields).some((value) => value !== null))
    build.add('-smbios', option('', { type, ...fields }));
}
