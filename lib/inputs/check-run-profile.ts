import { intersectionOf, unionOf } from '../words/cpu-list.ts';
import { quoted } from './parsed.ts';
import type { Profile } from './profile.ts';
import type { RunProfile } from './run-profile.ts';

/** Notes one problem: section, key (null: the section as a whole), predicate and hint. */
export type AddProblem = (section: string, key: string | null, what: string, hint?: string) => void;

/** What cannot be true together, or is missing, in a profile whose single values are right. */
export function checkRunProfile(run: RunProfile, host: Profile, add: AddProblem): void {
  checkMachine(run, add);
  checkMemory(run, host, add);
  checkCpus(run, add);
  checkDisks(run, add);
  checkNetworks(run, add);
  checkDevices(run, host, add);
  checkPeripherals(run, add);
  checkChannels(run, add);
}

function checkMachine({ machine, firmware }: RunProfile, add: AddProblem): void {
  if ((machine.hvVendorId?.length ?? 0) > 12) add('machine', 'hv-vendor-id', 'is longer than 12 letters');
  for (const key of ['initrd', 'kernel-arguments'] as const) {
    const given = key === 'initrd' ? machine.initrd : machine.kernelArguments;
    if (given !== null && machine.kernel === null) add('machine', key, 'needs a kernel too');
  }
  for (const flag of machine.cpuFlags ?? []) {
    if (!/^(?:[+-][\w.-]+|[\w.-]+=[\w.-]+)$/.test(flag))
      add('machine', 'cpu-flags', `has ${quoted(flag)}, must have +name, -name or name=value`);
  }
  if (machine.cpu !== null && !/^[\w.-]+$/.test(machine.cpu))
    add(
      'machine',
      'cpu',
      `is ${quoted(machine.cpu)}, must be the name of a model`,
      'Features go into cpu-flags',
    );
  if (machine.accel === 'tcg' && machine.cpu === 'host')
    add('machine', 'cpu', 'is host, which only KVM can give');
  if (machine.accel === 'tcg' && machine.hyperv === true) add('machine', 'hyperv', 'needs accel = kvm');
  if (machine.user !== null && !/^[a-z_][a-z0-9_.-]{0,31}\$?$/i.test(machine.user))
    add('machine', 'user', `is ${quoted(machine.user)}, must be the name of a user`);
  if (machine.memoryBackend === 'memfd' && machine.memoryPath !== null)
    add('machine', 'memory-path', 'needs memory-backend = file');
  if (
    firmware.code !== null &&
    firmware.type === 'uefi' &&
    firmware.template === null &&
    firmware.vars === null
  )
    add('firmware', 'code', 'needs its template of variables too');
  if (firmware.template !== null && firmware.code === null)
    add('firmware', 'template', 'needs the code it belongs to');
  if (firmware.type === 'bios' && firmware.secureBoot) add('firmware', 'secure-boot', 'needs type = uefi');
  if (firmware.smm === false && firmware.secureBoot) add('firmware', 'smm', 'is no, Secure Boot needs it');
  if (machine.type === 'i440fx' && firmware.secureBoot)
    add('firmware', 'secure-boot', 'needs a machine of type q35');
}

/** Memory may be said in three places, for the guest, for its nodes and for the host's huge pages: never two amounts. */
function checkMemory({ machine, numa }: RunProfile, { memory }: Profile, add: AddProblem): void {
  const sumKib = numa.reduce((sum, node) => sum + (node.memory ?? 0), 0);
  if (numa.length > 0 && machine.memory !== null && sumKib !== machine.memory)
    add('machine', 'memory', 'is not the sum of the nodes’ memory, must be it or be left out');
  const own = numa.length > 0 ? sumKib : machine.memory;
  if (own !== null && memory.sizeKib !== null && memory.sizeKib !== own)
    add('memory', 'size', 'is not the memory of the guest, must be it or be left out');
  const onNodesKib = memory.nodes?.reduce((sum, node) => sum + node.sizeKib, 0) ?? null;
  if (own !== null && onNodesKib !== null && onNodesKib !== own)
    add('memory', 'nodes', 'does not add up to the memory of the guest, must do so');
}

function checkCpus({ machine, threads, numa, disks }: RunProfile, add: AddProblem): void {
  const { sockets, dies, cores, threads: each, vcpus } = machine;
  const product = (sockets ?? 1) * (dies ?? 1) * (cores ?? 1) * (each ?? 1);
  if (vcpus !== null && (cores === null ? vcpus % product !== 0 : vcpus !== product))
    add('machine', 'vcpus', `is ${vcpus}, must be sockets × dies × cores × threads`);
  const count = vcpuCount({ machine, threads });
  if (threads.pins !== null && threads.pins.length !== count)
    add('cpu', 'pins', `places ${threads.pins.length} vCPUs, must place all ${count}`);
  if (threads.wholeProcess !== null && (threads.pins ?? threads.emulator ?? threads.iothreads) !== null)
    add('cpu', 'whole-process', 'places all threads, there must be no pins, emulator or iothreads beside it');
  const named = new Set(disks.map(({ iothread }) => iothread));
  for (const { name } of threads.iothreads ?? [])
    if (!named.has(name)) add('cpu', 'iothreads', `names ${name}, which no disk has as its iothread`);

  if (numa.length === 0) return;
  numa.forEach(({ label, memory, vcpus: own }, index) => {
    const section = `numa ${label}`;
    if (label !== String(index))
      add(section, null, `is not [numa ${index}], must be numbered from 0 in order`);
    if (memory === null) add(section, null, 'lacks memory');
    if (own === null) add(section, null, 'lacks vcpus');
    for (const other of numa.slice(0, index))
      if (intersectionOf(own ?? [], other.vcpus ?? []).length > 0)
        add(section, 'vcpus', `has vCPUs of [numa ${other.label}] too`);
  });
  const all = unionOf(...numa.map(({ vcpus: own }) => own ?? []));
  if (all.length !== count || all.at(-1) !== count - 1)
    add('numa 0', 'vcpus', `and those of the other nodes must be vCPUs 0 to ${count - 1} together`);
}

/** How many vCPUs the guest has. */
export function vcpuCount({ machine, threads }: Pick<RunProfile, 'machine' | 'threads'>): number {
  const { sockets, dies, cores, threads: each } = machine;
  if (machine.vcpus !== null) return machine.vcpus;
  const product = (sockets ?? 1) * (dies ?? 1) * (cores ?? 1) * (each ?? 1);
  if (cores !== null) return product;
  if (threads.pins !== null) return threads.pins.length;
  return sockets === null && dies === null && each === null ? 2 : product;
}

function checkDisks({ disks, machine }: RunProfile, add: AddProblem): void {
  const sources = new Map<string, string>();
  for (const { label, source, type, serial, bus, iothread, queues, ...disk } of disks) {
    const section = `disk ${label}`;
    if (source === null && type !== 'cdrom') add(section, null, 'lacks its source');
    const other = source === null ? undefined : sources.get(source);
    if (other !== undefined && type !== 'cdrom') add(section, 'source', `is that of [disk ${other}] too`);
    if (source !== null) sources.set(source, label);
    if (serial !== null && serial.length > 20) add(section, 'serial', 'is longer than 20 letters');
    if (bus === 'ide' && machine.type === 'q35')
      add(section, 'bus', 'is ide, which only i440fx has: sata is q35’s');
    const isVirtio = bus === null || bus === 'virtio' || bus === 'scsi';
    if (!isVirtio && iothread !== null) add(section, 'iothread', 'is for bus virtio or scsi');
    if (!isVirtio && queues !== null) add(section, 'queues', 'is for bus virtio or scsi');
    if (type === 'cdrom' && (bus === 'virtio' || bus === 'nvme'))
      add(section, 'bus', `is ${bus}, which has no CD drives`);
    const isDirect = disk.cache === null ? type !== 'cdrom' : ['none', 'directsync'].includes(disk.cache);
    if (disk.aio === 'native' && !isDirect)
      add(section, 'aio', 'is native, which needs cache none or directsync');
  }
}

function checkNetworks({ networks }: RunProfile, add: AddProblem): void {
  const macs = new Map<string, string>();
  for (const { label, type, bridge, interface: name, forward, queues, vhost, model, mac } of networks) {
    const section = `network ${label}`;
    if ((type === 'bridge') !== (bridge !== null))
      add(
        section,
        bridge === null ? 'type' : 'bridge',
        bridge === null ? 'is bridge, which one is lacking' : 'is for type bridge',
      );
    const wantsInterface = type === 'tap' || type === 'macvtap';
    if (wantsInterface !== (name !== null))
      add(
        section,
        name === null ? 'type' : 'interface',
        name === null ? `is ${type}, the interface is lacking` : 'is for types tap and macvtap',
      );
    for (const [key, device] of [
      ['bridge', bridge],
      ['interface', name],
    ] as const)
      if (device !== null && !/^[^\s/:]{1,15}$/.test(device))
        add(section, key, `is ${quoted(device)}, must be the name of an interface`);
    if (forward !== null && type !== 'user') add(section, 'forward', 'is for type user');
    if (queues > 1 && (!wantsInterface || model !== 'virtio'))
      add(section, 'queues', 'is for virtio on tap and macvtap');
    if (vhost === true && (type === 'user' || model !== 'virtio'))
      add(section, 'vhost', 'is for virtio on bridge, tap and macvtap');
    const other = mac === null ? undefined : macs.get(mac);
    if (other !== undefined) add(section, 'mac', `is that of [network ${other}] too`);
    if (mac !== null) macs.set(mac, label);
  }
}

function checkDevices({ devices }: RunProfile, host: Profile, add: AddProblem): void {
  const named = new Set(host.devices.requests.map(({ label }) => label));
  for (const { label, mdev, sysfsDevice, with: card } of devices) {
    const section = `device ${label}`;
    const isOwn = mdev !== null || sysfsDevice !== null;
    if (mdev !== null && sysfsDevice !== null)
      add(section, 'mdev', 'and sysfs-device name two devices, must be one');
    if (!isOwn && !named.has(label))
      add(
        section,
        null,
        'has no function, there must be one of this label in [devices], or mdev or sysfs-device here',
      );
    if (isOwn && named.has(label))
      add(section, mdev === null ? 'sysfs-device' : 'mdev', 'names another device than [devices]');
    if (card !== null && (!named.has(card) || card === label))
      add(section, 'with', `is ${quoted(card)}, must be another label of [devices]`);
    else if (card !== null && devices.some((other) => other.label === card && other.with !== null))
      add(section, 'with', `is ${quoted(card)}, which goes with another one itself: name that one`);
  }
}

function checkPeripherals(run: RunProfile, add: AddProblem): void {
  for (const { label, id, port } of run.usb)
    if ((id === null) === (port === null)) add(`usb ${label}`, null, 'must have either an id or a port');
  for (const { label, type, path } of run.inputs) {
    if (type === null && path === null) add(`input ${label}`, null, 'lacks its type or path');
    if (type === 'evdev' && path === null) add(`input ${label}`, 'type', 'is evdev, the path is lacking');
    if (type !== null && type !== 'evdev' && path !== null)
      add(`input ${label}`, 'path', 'is for type evdev');
  }
  const { display, lookingGlass, audio } = run;
  const isRemote = display.type === 'spice' || display.type === 'vnc';
  for (const key of ['address', 'port', 'socket'] as const)
    if (display[key] !== null && !isRemote) add('display', key, 'is for types spice and vnc');
  if (display.type === 'vnc' && display.port !== null && display.port < 5900)
    add('display', 'port', 'must be 5900 or more for VNC');
  if (display.socket !== null && (display.address ?? display.port) !== null)
    add('display', 'socket', 'goes in place of address and port');
  if (display.gl && display.type === 'spice' && display.socket === null)
    add('display', 'gl', 'needs a socket with SPICE: it works on this host only');
  if (display.gl && (display.type === 'vnc' || display.type === 'none'))
    add('display', 'gl', 'is for types spice, gtk, sdl and egl-headless');
  if (audio.type === 'spice' && display.type !== 'spice')
    add('audio', 'type', 'is spice, the display must be it too');
  if (lookingGlass === null) return;
  if (lookingGlass.resolution === null && lookingGlass.size === null)
    add('looking-glass', null, 'lacks its resolution or size');
  if (lookingGlass.size !== null && !Number.isInteger(Math.log2(lookingGlass.size)))
    add('looking-glass', 'size', 'must be a power of two');
}

function checkChannels({ shares, serial, fwCfg, tpm }: RunProfile, add: AddProblem): void {
  const tags = new Set<string>();
  for (const { label, source, tag } of shares) {
    const section = `share ${label}`;
    if (source === null) add(section, null, 'lacks its source');
    const name = tag ?? label;
    if (Buffer.byteLength(name) > 36)
      add(section, tag === null ? null : 'tag', 'is longer than 36 bytes, which is all a tag may have');
    if (tags.has(name)) add(section, 'tag', 'is that of another share');
    tags.add(name);
  }
  if (serial.type === 'file' && serial.path === null) add('serial', 'type', 'is file, the path is lacking');
  if (serial.path !== null && !['file', 'socket'].includes(serial.type))
    add('serial', 'path', 'is for types file and socket');
  if (tpm.state !== null && tpm.type !== 'swtpm') add('tpm', 'state', 'is for type swtpm');
  if (tpm.path !== null && tpm.type !== 'host') add('tpm', 'path', 'is for type host');
  for (const { label, name, text, file } of fwCfg) {
    const section = `fw-cfg ${label}`;
    if (name === null) add(section, null, 'lacks its name');
    else if (!/^opt\/[\x21-\x7e]{1,51}$/.test(name))
      add(section, 'name', `is ${quoted(name)}, must begin with opt/ and have 55 plain signs at most`);
    if ((text === null) === (file === null)) add(section, null, 'must have either a text or a file');
  }
}
