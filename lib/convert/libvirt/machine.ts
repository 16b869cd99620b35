import { sizeText } from '../size-text.ts';
import { vcpuCountOf } from '../vcpu-count.ts';
import { onOff, type Reading, type Writing } from './parts.ts';
import { type XmlElement, xml } from './xml-writer.ts';

/** The enlightenments that hyperv = yes stands for in a domain: those that guides and virt-manager switch on. */
const HYPERV = ['relaxed', 'vapic', 'spinlocks', 'vpindex', 'runtime', 'synic', 'stimer', 'frequencies'];
const OS_INFO = 'http://libosinfo.org/xmlns/libvirt/domain/1.0';
const WINDOWS = 'http://microsoft.com/win/11';

/** What of [machine] stands in places of its own at the top of a domain. */
export function writeMachine(writing: Writing): {
  readonly osInfo: XmlElement | null;
  readonly top: readonly XmlElement[];
} {
  const { source, dropList } = writing;
  const isWindows = source.text('machine', 'os') === 'windows';
  if (source.peek('machine', 'os') === 'other')
    dropList.add(
      '[machine] os = other',
      'libvirt names systems, and this is none; nothing else depends on it',
    );
  const suspend = source.yes('machine', 'suspend') ? 'yes' : 'no';
  for (const [key, why] of MACHINE_DROPS)
    if (source.said('machine', key) !== null) dropList.add(`[machine] ${key}`, why);
  return {
    osInfo: !isWindows
      ? null
      : xml('libosinfo:libosinfo', { 'xmlns:libosinfo': OS_INFO }, [xml('libosinfo:os', { id: WINDOWS })]),
    top: [
      featuresOf(writing, isWindows),
      cpuOf(writing),
      xml('clock', { offset: source.said('machine', 'rtc') ?? (isWindows ? 'localtime' : 'utc') }, [
        source.yes('machine', 'hyperv', isWindows)
          ? xml('timer', { name: 'hypervclock', present: 'yes' })
          : null,
      ]),
      xml('on_reboot', {}, source.text('machine', 'on-reboot') === 'shutdown' ? 'destroy' : 'restart'),
      xml('pm', {}, [
        xml('suspend-to-mem', { enabled: suspend }),
        xml('suspend-to-disk', { enabled: suspend }),
      ]),
    ],
  };
}

const MACHINE_DROPS: readonly (readonly [string, string])[] = [
  ['memory-path', 'libvirt has it for all guests, as hugetlbfs_mount in qemu.conf'],
  ['iommufd', 'libvirt chooses how VFIO is opened'],
  ['user', 'libvirt has it for all guests, as user in qemu.conf'],
  ['sandbox', 'libvirt has it for all guests, as seccomp_sandbox in qemu.conf'],
];

function featuresOf({ source, dropList }: Writing, isWindows: boolean): XmlElement {
  const claimed = source.said('machine', 'hv-vendor-id');
  const vendor = claimed?.includes(',') === true ? null : claimed;
  if (vendor !== claimed) dropList.add('[machine] hv-vendor-id', 'libvirt takes no comma in it');
  const isHyperv = source.yes('machine', 'hyperv', isWindows);
  const hyperv = [
    ...(isHyperv
      ? HYPERV.map((name) => xml(name, { state: 'on', retries: name === 'spinlocks' ? 8191 : null }))
      : []),
    ...(vendor === null ? [] : [xml('vendor_id', { state: 'on', value: vendor })]),
  ];
  const smm =
    source.said('firmware', 'smm') ??
    (source.peek('firmware', 'code') !== null && source.yes('firmware', 'secure-boot') ? 'yes' : null);
  return xml('features', {}, [
    xml('acpi'),
    xml('apic'),
    hyperv.length === 0 ? null : xml('hyperv', { mode: 'custom' }, hyperv),
    source.yes('machine', 'hide-kvm') ? xml('kvm', {}, [xml('hidden', { state: 'on' })]) : null,
    smm === null ? null : xml('smm', { state: onOff(smm === 'yes') }),
  ]);
}

function cpuOf({ source, dropList }: Writing): XmlElement {
  const usual = source.text('machine', 'accel') === 'tcg' ? 'max' : 'host';
  const model = source.said('machine', 'cpu') ?? usual;
  const part = (key: string) => source.number('machine', key);
  const [sockets, dies, cores, threads] = ['sockets', 'dies', 'cores', 'threads'].map(part);
  const isTold = [sockets, dies, cores, threads].some((one) => one !== null);
  const shown = (sockets ?? 1) * (dies ?? 1) * (threads ?? 1);
  const topology = !isTold
    ? null
    : xml('topology', {
        sockets: sockets ?? 1,
        dies: dies ?? 1,
        cores: cores ?? vcpuCountOf(source) / shown,
        threads: threads ?? 1,
      });
  const bits = source.number('machine', 'phys-bits');
  const flags = (source.said('machine', 'cpu-flags') ?? '').split(/\s+/).filter((flag) => flag !== '');
  const isCacheTold = flags.includes('host-cache-info=on');
  const features = flags.flatMap((flag) => {
    if (flag === 'host-cache-info=on') return [];
    const match = /^([+-])([\w.-]+)$/.exec(flag);
    if (match === null)
      dropList.add(`[machine] cpu-flags, ${flag}`, 'libvirt only knows features that are on or off');
    return match === null
      ? []
      : [xml('feature', { policy: match[1] === '+' ? 'require' : 'disable', name: match[2]! })];
  });
  const cells = source.sections('numa').map((section, id) =>
    xml('cell', {
      id,
      cpus: source.text(section, 'vcpus'),
      memory: source.kib(section, 'memory'),
      unit: 'KiB',
    }),
  );
  return xml('cpu', CPU_MODES[model] ?? { mode: 'custom', match: 'exact', check: 'none' }, [
    CPU_MODES[model] === undefined ? xml('model', { fallback: 'forbid' }, model) : null,
    topology,
    bits === null ? null : xml('maxphysaddr', { mode: 'passthrough', limit: bits }),
    isCacheTold ? xml('cache', { mode: 'passthrough' }) : null,
    ...features,
    cells.length === 0 ? null : xml('numa', {}, cells),
  ]);
}

const CPU_MODES: Readonly<Record<string, Record<string, string>>> = {
  host: { mode: 'host-passthrough', check: 'none', migratable: 'off' },
  max: { mode: 'maximum', check: 'none', migratable: 'off' },
};

/** Reads what writeMachine writes, and what others write in these places. */
export function readMachine(reading: Reading): void {
  const { root, draft, dropList, domain } = reading;
  draft.put('machine', 'accel', root.attribute('type') === 'qemu' ? 'tcg' : 'kvm');
  const osInfo =
    root.one('metadata')?.one(`{${OS_INFO}}libosinfo`)?.one(`{${OS_INFO}}os`)?.attribute('id') ?? '';
  const isWindows = osInfo.startsWith('http://microsoft.com/');
  if (isWindows) draft.put('machine', 'os', 'windows');
  if (domain.memoryKib !== null) draft.put('machine', 'memory', sizeText(domain.memoryKib));
  const current = root.one('currentMemory');
  if (
    current !== null &&
    domain.memoryKib !== null &&
    Number(current.text()) !== Number(root.one('memory')?.text())
  )
    dropList.add(
      `/domain/currentMemory: ${current.text()}`,
      'the guest has all of its memory from the start',
    );
  current?.settle();
  readCpu(reading);
  readFeatures(reading, isWindows);
  const clock = root.one('clock');
  const offset = clock?.attribute('offset') ?? 'utc';
  if (offset === 'utc' || offset === 'localtime')
    draft.put('machine', 'rtc', offset, isWindows ? 'localtime' : 'utc');
  else dropList.add(`/domain/clock/@offset=${offset}`, 'the clock is utc or localtime');
  const timers = clock?.all('timer') ?? [];
  const isOfSet = draft.get('machine', 'hyperv') === 'yes' || isWindows;
  for (const timer of timers)
    if (isOfSet && timer.attribute('name') === 'hypervclock' && timer.attribute('present') === 'yes')
      timer.settle();
    else
      dropList.add(
        `${timer.path} (${timer.attribute('name') ?? ''})`,
        'timers are those that QEMU has by itself',
      );
  for (const timer of timers) timer.settle();
  const reboot = root.one('on_reboot')?.text() ?? 'restart';
  draft.put('machine', 'on-reboot', reboot === 'destroy' ? 'shutdown' : 'reset');
  const enabled = ['suspend-to-mem', 'suspend-to-disk'].map((name) =>
    root.one('pm')?.one(name)?.attribute('enabled'),
  );
  draft.putYes('machine', 'suspend', enabled.includes('yes'));
  for (const name of ['on_poweroff', 'on_crash', 'name', 'uuid', 'memory', 'vcpu', 'resource', 'seclabel'])
    for (const element of root.all(name)) element.settle();
  draft.put('machine', 'uuid', domain.uuid, reading.around.usualUuid(domain.name));
}

function readCpu({ root, draft, dropList, domain }: Reading): void {
  const cpu = root.one('cpu');
  const mode = cpu?.attribute('mode') ?? (cpu === null ? null : 'custom');
  const isTcg = root.attribute('type') === 'qemu';
  const model = cpu?.one('model')?.text() ?? null;
  if (mode === 'host-passthrough') draft.put('machine', 'cpu', 'host', isTcg ? null : 'host');
  else if (mode === 'maximum') draft.put('machine', 'cpu', 'max', isTcg ? 'max' : null);
  else if (mode === 'host-model')
    dropList.add('/domain/cpu/@mode=host-model', 'the guest gets the host’s processor as it is');
  else if (model !== null && mode === 'custom') draft.put('machine', 'cpu', model);
  for (const name of ['check', 'migratable', 'match']) cpu?.attribute(name);
  cpu?.one('model')?.settle();

  const topology = cpu?.one('topology') ?? null;
  const parts = ['sockets', 'dies', 'cores', 'threads'].map(
    (key) => [key, topology?.attribute(key) ?? null] as const,
  );
  for (const [key, text] of parts) draft.put('machine', key, text, key === 'cores' ? null : '1');
  const product = parts.reduce((product, [, text]) => product * Number(text ?? 1), 1);
  if (domain.vcpus !== null && (topology === null || product !== domain.vcpus)) {
    if (topology !== null) {
      for (const [key] of parts) draft.remove('machine', key);
      dropList.add('/domain/cpu/topology', 'it is for more vCPUs than the guest starts with');
    }
    draft.put('machine', 'vcpus', domain.vcpus);
  }
  if (topology?.attribute('clusters') === '1') topology.settle();
  const flags = (cpu?.all('feature') ?? []).flatMap((feature) => {
    const policy = feature.attribute('policy') ?? 'require';
    const name = feature.attribute('name') ?? '';
    if (/^[\w.-]+$/.test(name) && /^(require|force|disable)$/.test(policy))
      return [`${policy === 'disable' ? '-' : '+'}${name}`];
    dropList.add(`${feature.path} (${policy} ${name})`, 'features are on or off');
    return [];
  });
  if (cpu?.one('cache')?.attribute('mode') === 'passthrough') flags.push('host-cache-info=on');
  if (flags.length > 0) draft.put('machine', 'cpu-flags', flags.join(' '));
  const address = cpu?.one('maxphysaddr') ?? null;
  if (address?.attribute('mode') === 'passthrough')
    draft.put('machine', 'phys-bits', address.attribute('limit'));
  for (const [at, cell] of domain.cells.entries()) {
    if (cell.id !== at || cell.cpus.length === 0)
      dropList.add(`/domain/cpu/numa/cell[${at + 1}]`, 'cells are numbered from 0 and have vCPUs');
  }
  for (const cell of cpu?.one('numa')?.all('cell') ?? [])
    for (const name of ['id', 'cpus', 'memory', 'unit']) cell.attribute(name);
}

function readFeatures({ root, draft, dropList }: Reading, isWindows: boolean): void {
  const features = root.one('features');
  for (const name of ['acpi', 'apic', 'pae']) features?.one(name)?.settle();
  const isOn = (name: string) => features?.one('hyperv')?.one(name)?.attribute('state') === 'on';
  const hyperv = features?.one('hyperv') ?? null;
  const isAll = hyperv?.attribute('mode') === 'passthrough';
  const on = HYPERV.filter(isOn);
  hyperv?.one('spinlocks')?.attribute('retries');
  draft.putYes('machine', 'hyperv', isAll || on.length > 0, isWindows);
  const missing = HYPERV.filter((name) => !on.includes(name));
  if (!isAll && on.length > 0 && missing.length > 0)
    dropList.add(`/domain/features/hyperv without ${missing.join(', ')}`, 'hyperv = yes is the whole set');
  if (isOn('vendor_id'))
    draft.put('machine', 'hv-vendor-id', hyperv?.one('vendor_id')?.attribute('value') ?? null);
  const hidden = features?.one('kvm')?.one('hidden')?.attribute('state');
  draft.putYes('machine', 'hide-kvm', hidden === 'on');
  const smm = features?.one('smm')?.attribute('state') ?? null;
  if (smm !== null) draft.put('firmware', 'smm', smm === 'on' ? 'yes' : 'no');
}
