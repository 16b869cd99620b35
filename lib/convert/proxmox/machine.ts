import { formatArgvWords, parseArgvWords } from '../../inputs/argv-words.ts';
import { isProblem } from '../../inputs/parsed.ts';
import { formatCpuList, parseCpuList, unionOf } from '../../words/cpu-list.ts';
import { sizeText } from '../size-text.ts';
import { vcpuCountOf } from '../vcpu-count.ts';
import { properties, type Reading, type Writing } from './parts.ts';

/** What Proxmox lets a single machine switch; all else belongs into a CPU model of its own there. */
const FLAGS = [
  'aes',
  'amd-no-ssb',
  'amd-ssbd',
  'hv-evmcs',
  'hv-tlbflush',
  'ibpb',
  'md-clear',
  'pcid',
  'pdpe1gb',
  'spec-ctrl',
  'ssbd',
  'virt-ssbd',
];

/** Processors, memory, board and clock. */
export function writeMachine(writing: Writing): void {
  const { source, dropList, options } = writing;
  const os = source.text('machine', 'os');
  options.set('ostype', os === 'windows' ? 'win11' : os === 'linux' ? 'l26' : 'other');
  if (source.text('machine', 'type') === 'q35') options.set('machine', 'q35');
  if (source.text('machine', 'accel') === 'tcg') options.set('kvm', '0');
  const rtc = source.said('machine', 'rtc');
  if (rtc !== null) options.set('localtime', rtc === 'localtime' ? '1' : '0');
  if (source.text('machine', 'on-reboot') === 'shutdown') options.set('reboot', '0');
  const hyperv = source.said('machine', 'hyperv');
  if (hyperv !== null && (hyperv === 'yes') !== (os === 'windows'))
    dropList.add('[machine] hyperv', 'Proxmox decides it by ostype');
  writeCpus(writing);
  writeMemory(writing);
  if (source.yes('machine', 'rng')) options.set('rng0', 'source=/dev/urandom');
  const words = source.keys('arguments').flatMap((label) => {
    const parsed = parseArgvWords(source.said('arguments', label)!);
    return isProblem(parsed) ? [] : parsed.value;
  });
  if (words.length > 0) options.set('args', formatArgvWords(words));
}

function writeCpus({ source, dropList, options }: Writing): void {
  const sockets = source.number('machine', 'sockets') ?? 1;
  const count = vcpuCountOf(source);
  for (const key of ['dies', 'threads', 'cores']) {
    const number = source.number('machine', key) ?? 1;
    if (key !== 'cores' && number > 1)
      dropList.add(
        `[machine] ${key} = ${number}`,
        'Proxmox has sockets and cores; they are counted as cores',
      );
  }
  if (sockets > 1) options.set('sockets', String(sockets));
  options.set('cores', String(count / sockets));
  const isHidden = source.yes('machine', 'hide-kvm');
  const flags = (source.said('machine', 'cpu-flags') ?? '').split(/\s+/).filter((flag) => {
    const isKnown = /^[+-]/.test(flag) && FLAGS.includes(flag.slice(1));
    if (flag !== '' && !isKnown)
      dropList.add(
        `[machine] cpu-flags, ${flag}`,
        'Proxmox takes it only in a CPU model of its own (cpu-models.conf)',
      );
    return isKnown;
  });
  const model = source.said('machine', 'cpu') ?? (source.text('machine', 'accel') === 'tcg' ? 'max' : 'host');
  const values = {
    cputype: model,
    hidden: isHidden ? 1 : null,
    'hv-vendor-id': source.said('machine', 'hv-vendor-id'),
    'phys-bits': source.number('machine', 'phys-bits'),
    flags: flags.length === 0 ? null : flags.join(';'),
  };
  options.set('cpu', properties('[machine]', values, 'cputype', { dropList }));
  const pins = (source.said('cpu', 'pins') ?? '').split(/\s+/).filter((set) => set !== '');
  const emulator = source.said('cpu', 'emulator');
  const sets = [...pins, ...(emulator === null ? [] : [emulator])].map((set) => parseCpuList(set) ?? []);
  if (sets.length === 0) return;
  const all = formatCpuList(unionOf(...sets));
  options.set('affinity', all);
  if (sets.some((set) => formatCpuList(set) !== all) || emulator === null || pins.length === 0)
    dropList.add('[cpu] pins, emulator', `Proxmox keeps all threads of a guest on one set of CPUs: ${all}`);
}

function writeMemory({ source, dropList, options }: Writing): void {
  const sections = source.sections('numa');
  const cells = sections.map((section) => source.kib(section, 'memory') ?? 0);
  const kib =
    source.kib('machine', 'memory') ??
    (cells.length > 0 ? cells.reduce((sum, one) => sum + one, 0) : source.kib('memory', 'size')) ??
    4 * 1024 ** 2;
  if (kib % 1024 !== 0) dropList.add('[machine] memory', 'Proxmox counts in MiB; rounded up');
  options.set('memory', String(Math.ceil(kib / 1024)));
  if (!source.yes('machine', 'balloon')) options.set('balloon', '0');
  const page = source.kib('memory', 'hugepages');
  const isHuge = page !== null && source.peek('memory', 'hugepages') !== 'off';
  if (isHuge && page !== 2048 && page !== 1024 ** 2)
    dropList.add('[memory] hugepages', 'Proxmox has pages of 2 MiB and 1 GiB');
  else if (isHuge) options.set('hugepages', page === 2048 ? '2' : '1024');
  if (isHuge || sections.length > 0) options.set('numa', '1');
  sections.forEach((section, at) => {
    const nodes = source.said(section, 'host-nodes');
    const values = {
      cpus: source.said(section, 'vcpus')?.replaceAll(',', ';') ?? null,
      memory: Math.ceil((cells[at] ?? 0) / 1024),
      hostnodes: nodes?.replaceAll(',', ';') ?? null,
      policy: nodes === null ? null : 'bind',
    };
    options.set(`numa${at}`, properties(`[${section}]`, values, '', { dropList }));
  });
}

export function readMachine(reading: Reading): void {
  const { conf, draft, dropList } = reading;
  const os = conf.take('ostype') ?? 'other';
  const isWindows = /^(w|win)/.test(os);
  draft.put('machine', 'os', isWindows ? 'windows' : /^l2[46]$/.test(os) ? 'linux' : 'other');
  const machine = conf.takeProperties('machine', 'type');
  const board = machine?.take('type') ?? 'pc';
  draft.put('machine', 'type', /q35/.test(board) ? 'q35' : 'i440fx');
  if (/\d\.\d/.test(board))
    dropList.add(`machine: ${board}`, 'the newest version of the board that QEMU has is taken');
  machine?.dropRest(() => 'the profile has no key for it');
  draft.put('machine', 'accel', conf.take('kvm') === '0' ? 'tcg' : 'kvm');
  const localtime = conf.take('localtime');
  if (localtime !== null)
    draft.put('machine', 'rtc', localtime === '1' ? 'localtime' : 'utc', isWindows ? 'localtime' : 'utc');
  if (conf.take('reboot') === '0') draft.put('machine', 'on-reboot', 'shutdown');
  const rng = conf.takeProperties('rng0', 'source');
  draft.putYes('machine', 'rng', rng !== null);
  rng?.take('source');
  rng?.dropRest(() => 'the generator has QEMU’s own limits');
  readCpus(reading);
  readMemory(reading);
  const words = parseArgvWords(conf.take('args') ?? '');
  if (!isProblem(words)) draft.set('arguments', 'more', formatArgvWords(words.value));
}

function readCpus({ conf, draft, dropList }: Reading): void {
  const sockets = Number(conf.take('sockets') ?? 1);
  const cores = Number(conf.take('cores') ?? 1);
  draft.put('machine', 'sockets', sockets, '1');
  // More than a socket of the profile has
  if (cores > 1024) draft.put('machine', 'vcpus', sockets * cores);
  else draft.put('machine', 'cores', cores);
  const cpu = conf.takeProperties('cpu', 'cputype');
  const model = cpu?.take('cputype') ?? 'kvm64';
  const isTcg = draft.get('machine', 'accel') === 'tcg';
  if (/^(custom-|x86-64-v)/.test(model))
    dropList.add(`cpu: ${model}`, 'it is a model of Proxmox’ own; the host’s processor is taken');
  else draft.put('machine', 'cpu', model, isTcg ? 'max' : 'host');
  draft.putYes('machine', 'hide-kvm', cpu?.takeSwitch('hidden', false) ?? false);
  draft.put('machine', 'hv-vendor-id', cpu?.take('hv-vendor-id') ?? null);
  const bits = cpu?.take('phys-bits') ?? null;
  if (bits !== null && bits !== 'host') draft.put('machine', 'phys-bits', bits);
  const flags = (cpu?.take('flags') ?? '').split(/[;\s]+/).filter((flag) => {
    if (flag === '+nested-virt')
      dropList.add('cpu, +nested-virt', 'it is +vmx or +svm, whichever the host has');
    return flag !== '' && flag !== '+nested-virt';
  });
  if (flags.length > 0) draft.put('machine', 'cpu-flags', flags.join(' '));
  cpu?.dropRest(() => 'the profile has no key for it');
  const affinity = conf.take('affinity');
  const set = parseCpuList(affinity ?? '');
  if (set === null) dropList.add(`affinity: ${affinity}`, 'it is no list of CPUs');
  else if (set.length > 0) {
    const text = formatCpuList(set);
    draft.put('cpu', 'pins', Array.from({ length: sockets * cores }, () => text).join(' '));
    draft.put('cpu', 'emulator', text);
  }
}

function readMemory({ conf, draft, dropList }: Reading): void {
  const memory = Number(conf.takeProperties('memory', 'current')?.take('current') ?? 512);
  draft.put('machine', 'memory', sizeText(memory * 1024));
  const balloon = conf.take('balloon');
  draft.putYes('machine', 'balloon', balloon !== '0');
  if (balloon !== null && Number(balloon) !== 0 && Number(balloon) !== memory)
    dropList.add(`balloon: ${balloon}`, 'nobody but a program asks the balloon for memory');
  const pages = conf.take('hugepages');
  if (pages === 'any') dropList.add('hugepages: any', 'taken as 2M; write 1G where the host has these');
  if (pages !== null) draft.put('memory', 'hugepages', pages === '1024' ? '1G' : '2M');
  conf.take('numa');
  let at = 0;
  for (const cell of conf.takeNumbered('numa', 'cpus')) {
    const section = `numa ${at++}`;
    draft.put(section, 'vcpus', cell.take('cpus')?.replaceAll(';', ',') ?? null);
    const size = cell.take('memory');
    draft.put(section, 'memory', size === null ? null : sizeText(Number(size) * 1024));
    draft.put(section, 'host-nodes', cell.take('hostnodes')?.replaceAll(';', ',') ?? null);
    const policy = cell.take('policy');
    if (policy !== null && policy !== 'bind')
      dropList.add(`${cell.key}, policy=${policy}`, 'memory is bound to its nodes');
    cell.dropRest(() => 'the profile has no key for it');
  }
  if (at > 0) draft.remove('machine', 'memory');
}
