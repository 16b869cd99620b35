import { HostError } from '../../lib/words/errors.ts';
import type { FakeHost } from './fake-host.ts';
import {
  attach,
  BUS,
  detach,
  driverOf,
  homeDrivers,
  isLoaded,
  isOwned,
  isVfio,
  listModules,
  loadDriver,
  matches,
  modelOf,
  overrideOf,
  probe,
  underscored,
  whyNotBound,
} from './pci-machine.ts';

/** Answers writes to the PCI bus, and `modprobe`, as Linux 6.1 and 6.12 do; once a machine. */
export function answerPciWrites(host: FakeHost): void {
  if (host.tree.get(`${BUS}/drivers_probe`) !== null) return;
  host.put(`${BUS}/drivers_probe`, '', 0o200);
  host.put(`${BUS}/rescan`, '', 0o200);
  host.put('/proc/sys/kernel/osrelease', '6.12.95-amd64\n');
  listModules(host);
  host.onWrite(/^\/sys\/devices\/pci.*\/driver_override$/, writeOverride);
  host.onWrite(/^\/sys\/bus\/pci\/drivers\/[^/]+\/bind$/, writeBind);
  host.onWrite(/^\/sys\/bus\/pci\/drivers\/[^/]+\/unbind$/, writeUnbind);
  host.onWrite(`${BUS}/drivers_probe`, writeProbe);
  host.onWrite(/^\/sys\/devices\/pci.*\/reset_method$/, writeResetMethod);
  host.onWrite(/^\/sys\/devices\/pci.*\/power\/control$/, writePowerControl);
  host.onRun('modprobe', (argv, machine) => modprobe(argv, machine));
}

/** "\n" clears, no byte at all changes nothing, everything else is kept up to the newline. */
function writeOverride(path: string, text: string, host: FakeHost): void {
  if (text === '') return;
  const name = text.split('\n', 1)[0] ?? '';
  host.put(path, `${name === '' ? '(null)' : name}\n`);
}

function writeBind(path: string, text: string, host: FakeHost): void {
  const driver = path.split('/').at(-2) ?? '';
  const address = text.trimEnd();
  const spec = modelOf(host).specs.get(address);
  if (spec === undefined) throw refusal(path, 'ENODEV');
  if (driverOf(host, address) !== null) throw refusal(path, 'EBUSY');
  if (!matches(host, spec, driver)) throw refusal(path, 'ENODEV');
  const failed = whyNotBound(host, spec, driver);
  if (failed !== null) throw refusal(path, failed);
  attach(host, address, driver);
}

function writeUnbind(path: string, text: string, host: FakeHost): void {
  const driver = (host.tree.resolve(path) ?? path).split('/').at(-2) ?? '';
  const address = text.trimEnd();
  if (modelOf(host).specs.get(address) === undefined || driverOf(host, address) !== driver) {
    throw refusal(path, 'ENODEV');
  }
  detach(host, address, driver);
}

/** Answers success whether or not anything came of it; only an unknown (or short) address and an owned group are told. */
function writeProbe(path: string, text: string, host: FakeHost): void {
  const address = text.trimEnd();
  const spec = modelOf(host).specs.get(address);
  if (spec === undefined) throw refusal(path, 'ENODEV');
  if (driverOf(host, address) !== null) return;
  const override = overrideOf(host, address);
  const driver = (override === '(null)' ? homeDrivers(spec) : [override]).find((name) =>
    isLoaded(host, name),
  );
  if (driver === undefined) return;
  if (!isVfio(driver) && isOwned(host, spec)) throw refusal(path, 'EINVAL');
  probe(host, address, driver);
}

/** A subset of what the function has, in the wanted order; "default" brings all back, an empty line takes all away. */
function writeResetMethod(path: string, text: string, host: FakeHost): void {
  const address = path.split('/').at(-2) ?? '';
  const all = (modelOf(host).specs.get(address)?.resetMethods ?? 'flr pm').split(' ');
  const wanted = text.trim();
  if (wanted === 'default') host.put(path, `${all.join(' ')}\n`);
  else if (wanted !== '' && wanted.split(/\s+/).some((name) => !all.includes(name)))
    throw refusal(path, 'EINVAL');
  else if (text !== '') host.put(path, `${wanted}\n`);
}

function writePowerControl(path: string, text: string, host: FakeHost): void {
  const wanted = text.trimEnd();
  if (wanted !== 'on' && wanted !== 'auto') throw refusal(path, 'EINVAL');
  host.put(path, `${wanted}\n`);
  const folder = path.slice(0, path.lastIndexOf('/power/'));
  const driver = host.peekLink(`${folder}/driver`)?.split('/').at(-1) ?? '';
  if (isVfio(driver)) host.put(`${folder}/power_state`, wanted === 'on' ? 'D0\n' : 'D3hot\n');
}

function modprobe(argv: readonly string[], host: FakeHost): { status: number; stderr: string } {
  const name = argv.slice(1).find((word) => !word.startsWith('-')) ?? '';
  if (!modelOf(host).modules.has(underscored(name))) {
    const release = host.peek('/proc/sys/kernel/osrelease')?.trimEnd() ?? '';
    return {
      status: 1,
      stderr: `modprobe: FATAL: Module ${name} not found in directory /lib/modules/${release}\n`,
    };
  }
  if (underscored(name) === 'vfio_iommu_type1') host.put('/sys/module/vfio_iommu_type1/initstate', 'live\n');
  else loadDriver(host, name.replaceAll('_', '-').replace(/^(mlx5|nvgrace)-.*$/, name));
  return { status: 0, stderr: '' };
}

function refusal(path: string, code: string): HostError {
  return new HostError(`Cannot write ${path}: ${code}`, { code, path });
}
