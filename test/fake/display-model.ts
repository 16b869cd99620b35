import { HostError } from '../../lib/words/errors.ts';
import { openNode } from './device-model.ts';
import type { FakeHost } from './fake-host.ts';
import { attach, detach, driverOf, loadDriver, modelOf, overrideOf } from './pci-machine.ts';

const CGROUPS = '/sys/fs/cgroup';

/** A unit or session of the fake machine: where it is, and the node that its process has open. */
export interface FakeUnit {
  readonly name: string;
  readonly cgroup: string;
  readonly node?: string;
  /** How often a start fails before it works, as after too many starts; "reset-failed" ends that. */
  limit?: boolean;
  /** It does not stop when told to. */
  readonly stubborn?: boolean;
  /** How long it takes to stop, whoever waits for that; a start waits for the end. */
  stopMs?: number;
  /** It is a socket, timer or path that starts this unit. */
  readonly starts?: string;
}

const units = new WeakMap<FakeHost['tree'], Map<string, FakeUnit>>();

/** Puts systemd and logind as far as units and sessions that hold a display go. */
export function addUnits(host: FakeHost, ...list: readonly FakeUnit[]): void {
  const map = new Map(list.map((unit) => [unit.name, unit]));
  units.set(host.tree, map);
  host.putFolder('/run/systemd/system').putFolder('/run/systemd/transient');
  for (const unit of list) startUnit(host, unit);
  host.onRun('systemctl', (argv, machine, { timeoutMs }) => systemctl(argv, machine, map, timeoutMs));
  // A timer of systemd-run(1) is a file until it is stopped or has gone off
  host.onRun('systemd-run', (argv, machine) => {
    const name = argv.find((word) => word.startsWith('--unit='))?.slice(7) ?? '';
    machine.put(`/run/systemd/transient/${name}.timer`, '[Timer]\n');
    return {};
  });
  host.onRun('loginctl', (argv, machine) => loginctl(argv, machine, map));
}

/** Whether a unit runs, without counting as a call. */
export function runs(host: FakeHost, name: string): boolean {
  const unit = units.get(host.tree)?.get(name);
  return unit !== undefined && host.peek(`${CGROUPS}${unit.cgroup}/cgroup.procs`) !== null;
}

function systemctl(
  argv: readonly string[],
  host: FakeHost,
  map: ReadonlyMap<string, FakeUnit>,
  timeoutMs: number,
) {
  const timer = `/run/systemd/transient/${argv.at(-1)}`;
  if (argv.at(-1)?.endsWith('.timer') && host.peek(timer) !== null) {
    host.drop(timer);
    return {};
  }
  const names = argv.slice(argv.indexOf('--') + 1);
  const asked = names.flatMap((name) => map.get(name) ?? []);
  const unit = asked.at(-1);
  if (unit === undefined) return { status: 5, stderr: `Unit ${argv.at(-1)} not loaded.\n` };
  if (argv.includes('show')) return { stdout: show(argv, host, map, asked) };
  const verb = argv[argv.indexOf('--') - 1];
  if (unit.stopMs !== undefined && (verb === 'stop' || verb === 'start')) {
    const waitedMs = Math.min(unit.stopMs, timeoutMs);
    host.clock += waitedMs;
    unit.stopMs -= waitedMs;
    if (unit.stopMs > 0) return { status: null, timedOut: true };
    delete unit.stopMs;
    endUnit(host, unit);
  }
  if (verb === 'reset-failed') unit.limit = false;
  const ends = verb === 'stop' ? asked.filter(({ stubborn }) => stubborn !== true) : asked;
  if (verb === 'stop' || verb === 'restart') for (const one of ends) endUnit(host, one);
  if (verb === 'stop' && unit.stubborn === true) return { status: null, timedOut: true };
  if (verb !== 'start' && verb !== 'restart') return {};
  if (unit.limit === true) return { status: 1, stderr: 'Start request repeated too quickly.\n' };
  let refused = '';
  for (const one of asked) {
    // As a socket does whose service runs already
    if (one.starts !== undefined && runs(host, one.starts) && !runs(host, one.name))
      refused = `${one.name}: Socket service ${one.starts} already active, refusing.\n`;
    else startUnit(host, one);
  }
  return refused === '' ? {} : { status: 1, stderr: refused };
}

function show(
  argv: readonly string[],
  host: FakeHost,
  map: ReadonlyMap<string, FakeUnit>,
  asked: readonly FakeUnit[],
): string {
  if (argv.includes('--property=TriggeredBy')) {
    const triggers = [...map.values()].filter(({ starts }) => starts === asked[0]?.name);
    return `TriggeredBy=${triggers.map(({ name }) => name).join(' ')}\n`;
  }
  const state = ({ name }: FakeUnit) => (runs(host, name) ? 'active' : 'inactive');
  return asked.map((one) => `Id=${one.name}\nActiveState=${state(one)}\n`).join('\n');
}

function loginctl(argv: readonly string[], host: FakeHost, map: ReadonlyMap<string, FakeUnit>) {
  const unit = map.get(`session-${argv.at(-1)}.scope`);
  if (unit === undefined) return { status: 1, stderr: 'No session\n' };
  if (unit.stubborn !== true || argv.includes('kill-session')) endUnit(host, unit);
  return {};
}

function startUnit(host: FakeHost, unit: FakeUnit): void {
  if (runs(host, unit.name)) return;
  host.put(`${CGROUPS}${unit.cgroup}/cgroup.procs`, '1\n');
  host.put(`${CGROUPS}${unit.cgroup}/cgroup.events`, 'populated 1\nfrozen 0\n');
  if (unit.node !== undefined) openNode(host, unit.name.slice(0, 15), unit.node, unit.cgroup);
}

function endUnit(host: FakeHost, unit: FakeUnit): void {
  host.drop(`${CGROUPS}${unit.cgroup}`);
  const proc = host.tree.get('/proc');
  if (proc?.kind !== 'folder') return;
  for (const pid of [...proc.children.keys()]) {
    if (host.peek(`/proc/${pid}/cgroup`) === `0::${unit.cgroup}\n`) host.endProcess(Number(pid));
  }
}

/** Puts a console driver that can be unbound. See Documentation/driver-api/console.rst. */
export function addConsoles(host: FakeHost): void {
  const folder = '/sys/devices/virtual/vtconsole';
  host.put(`${folder}/vtcon0/name`, '(S) dummy device\n').put(`${folder}/vtcon0/bind`, '0\n');
  host.put(`${folder}/vtcon1/name`, '(M) frame buffer device\n').put(`${folder}/vtcon1/bind`, '1\n');
  for (const id of ['vtcon0', 'vtcon1']) host.putLink(`/sys/class/vtconsole/${id}`, `${folder}/${id}`);
}

/** Puts the firmware's frame buffer as a platform device with its driver; `changed` does what else comes and goes with that. */
export function addFirmwareFrameBuffer(
  host: FakeHost,
  device = 'efi-framebuffer.0',
  changed: (bound: boolean, host: FakeHost) => void = () => {},
): void {
  const driver = device.slice(0, device.lastIndexOf('.'));
  const folder = `/sys/bus/platform/drivers/${driver}`;
  const link = `/sys/bus/platform/devices/${device}/driver`;
  host.putFolder(`/sys/bus/platform/devices/${device}`);
  host.put(`${folder}/bind`, '', 0o200).put(`${folder}/unbind`, '', 0o200);
  host.putLink(link, folder);
  const refuse = (path: string, code: string) => {
    throw new HostError(`Cannot write ${path}: ${code}`, { code, path });
  };
  host.onWrite(`${folder}/unbind`, (path, _text, machine) => {
    if (machine.peekLink(link) === null) refuse(path, 'ENODEV');
    machine.drop(link);
    changed(false, machine);
  });
  host.onWrite(`${folder}/bind`, (path, _text, machine) => {
    if (machine.tree.get(`/sys/bus/platform/devices/${device}`) === null) refuse(path, 'ENODEV');
    if (machine.peekLink(link) !== null) refuse(path, 'EBUSY');
    machine.putLink(link, folder);
    changed(true, machine);
  });
  changed(true, host);
}

/** A module that can be unloaded: what stands on it, its parameters as modprobe.d gives them, the PCI driver it is. */
export interface FakeModule {
  readonly name: string;
  readonly holders?: readonly string[];
  readonly parameters?: Readonly<Record<string, string>>;
  readonly drives?: readonly string[];
}

/** Puts modules, and rmmod and modprobe for them. A module in use cannot be unloaded, and takes its functions back when it is loaded. */
export function addModules(host: FakeHost, ...modules: readonly FakeModule[]): void {
  for (const one of modules) loadModule(host, one, []);
  host.onRun('rmmod', (argv, machine) => {
    const found = modules.find(({ name }) => name === argv.at(-1));
    const above = (found?.holders ?? []).filter(
      (name) => machine.peek(`/sys/module/${name}/refcnt`) !== null,
    );
    if (found === undefined || machine.peek(`/sys/module/${found.name}/refcnt`) === null)
      return { status: 1, stderr: 'rmmod: ERROR: Module is not currently loaded\n' };
    if (above.length > 0)
      return { status: 1, stderr: `rmmod: ERROR: Module ${found.name} is in use by: ${above.join(' ')}\n` };
    for (const address of found.drives ?? [])
      if (driverOf(machine, address) === found.name) detach(machine, address, found.name);
    machine.drop(`/sys/module/${found.name}`);
    if (found.drives !== undefined) machine.drop(`/sys/bus/pci/drivers/${found.name}`);
    return {};
  });
  host.onRun('modprobe', (argv, machine) => {
    const found = modules.find(({ name }) => name === argv[2]);
    if (found === undefined) return { status: 1, stderr: `modprobe: FATAL: Module ${argv[2]} not found\n` };
    loadModule(machine, found, argv.slice(3));
    return {};
  });
}

function loadModule(
  host: FakeHost,
  { name, holders, parameters, drives }: FakeModule,
  words: readonly string[],
): void {
  if (host.peek(`/sys/module/${name}/refcnt`) !== null) return;
  host.put(`/sys/module/${name}/refcnt`, '0\n');
  host.putFolder(`/sys/module/${name}/holders`);
  const given = Object.fromEntries(words.map((word) => word.split('=') as [string, string]));
  for (const [key, value] of Object.entries({ ...parameters, ...given }))
    host.put(`/sys/module/${name}/parameters/${key}`, `${value}\n`, 0o444);
  for (const holder of holders ?? [])
    host.putLink(`/sys/module/${name}/holders/${holder}`, `/sys/module/${holder}`);
  if (drives === undefined) return;
  loadDriver(host, name);
  for (const address of drives) {
    const isFree = modelOf(host).specs.has(address) && driverOf(host, address) === null;
    if (isFree && overrideOf(host, address) === '(null)') attach(host, address, name);
  }
}
