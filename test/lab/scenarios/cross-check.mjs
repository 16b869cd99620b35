// node cross-check.mjs PROGRAM [ARGUMENT …]: what passqemu (called so) says of this machine, against lscpu, lspci, lsusb and
// numactl in the same moment. Prints "ok" and "not ok" lines; a tool that is not here is a line that says so. Each difference that
// is none is explained where it is allowed.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const [program, ...first] = process.argv.slice(2);
let count = 0;
let failed = 0;

function ask(...argv) {
  const options = { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' }, maxBuffer: 1 << 28 };
  return execFileSync(argv[0], argv.slice(1), { stdio: ['ignore', 'pipe', 'ignore'], ...options });
}

function tell(name, ...words) {
  return JSON.parse(ask(program, ...first, name, '--json', ...words));
}

/** Compares two lists as texts, a line for each difference. */
function check(name, ours, theirs) {
  count++;
  const [mine, other] = [ours, theirs].map((list) => list.map((one) => JSON.stringify(one)));
  const wrong = [
    ...mine.filter((one) => !other.includes(one)).map((one) => `only passqemu: ${one}`),
    ...other.filter((one) => !mine.includes(one)).map((one) => `only the tool: ${one}`),
  ];
  if (wrong.length > 0) failed++;
  console.log(`${wrong.length === 0 ? 'ok' : 'not ok'} ${count} - ${name} (${mine.length} compared)`);
  for (const line of wrong.slice(0, 20)) console.log(`#   ${line}`);
}

function listCpus(text) {
  return (text ?? '').split(',').flatMap((part) => {
    const [from, to = from] = part.split('-').map(Number);
    return part === '' ? [] : Array.from({ length: to - from + 1 }, (_, at) => from + at);
  });
}

const has = (tool) =>
  ['/usr/bin', '/bin', '/usr/sbin', '/sbin'].some((folder) => existsSync(`${folder}/${tool}`));

function skip(tool) {
  console.log(`# ${tool} is not installed here`);
}

/** Numbers that tell equal ones from unequal ones only: lscpu counts cores, packages and caches itself from 0 on, we say the kernel's. */
function partition(cpus, keyOf) {
  const groups = new Map();
  for (const cpu of cpus) groups.set(keyOf(cpu), [...(groups.get(keyOf(cpu)) ?? []), cpu.id]);
  return [...groups.values()].map((ids) => ids.join());
}

const topology = tell('topology');
const online = topology.cpus.filter((cpu) => cpu.online);

if (has('lscpu')) {
  const rows = JSON.parse(ask('lscpu', '-J', '-e=CPU,CORE,SOCKET,NODE')).cpus;
  const theirs = rows.map((row) => ({
    id: row.cpu,
    core: row.core,
    socket: row.socket,
    node: row.node ?? null,
  }));
  check(
    'lscpu: the CPUs that are online',
    online.map(({ id }) => id),
    theirs.map(({ id }) => id),
  );
  // A machine without NUMA has one node for us, and none for lscpu
  const node = (one) => (theirs.every((row) => row.node === null) ? 0 : one);
  check(
    'lscpu: nodes',
    online.map((cpu) => [cpu.id, cpu.node]),
    theirs.map((row) => [row.id, node(row.node)]),
  );
  check(
    'lscpu: which CPUs share a core',
    partition(online, (cpu) => cpu.siblings),
    partition(theirs, (row) => `${row.socket} ${row.core}`),
  );
  check(
    'lscpu: which CPUs share a package',
    partition(online, (cpu) => cpu.package),
    partition(theirs, (row) => row.socket),
  );
  const offline = JSON.parse(ask('lscpu', '-J', '-e=CPU,ONLINE', '-c')).cpus ?? [];
  check(
    'lscpu: the CPUs that are offline',
    topology.cpus.filter((cpu) => !cpu.online).map(({ id }) => id),
    offline.map(({ cpu }) => cpu),
  );
  const caches = JSON.parse(ask('lscpu', '-J', '-B', '-C=NAME,ONE-SIZE,ALL-SIZE')).caches ?? [];
  const names = { data: 'd', instruction: 'i', unified: '' };
  const sums = new Map();
  for (const { level, type, sizeKiB } of topology.caches) {
    if (sizeKiB === null || type === null) continue;
    const name = `L${level}${names[type]}`;
    const { one = sizeKiB * 1024, all = 0 } = sums.get(name) ?? {};
    sums.set(name, { one, all: all + sizeKiB * 1024 });
  }
  check(
    'lscpu: sizes of caches, of one and of all',
    [...sums].map(([name, { one, all }]) => [name, one, all]),
    caches.map((cache) => [cache.name, Number(cache['one-size']), Number(cache['all-size'])]),
  );
} else skip('lscpu');

if (has('numactl')) {
  const text = ask('numactl', '-H');
  const nodes = [...text.matchAll(/^node (\d+) cpus:(.*)$/gm)].map(([, id, cpus]) => [
    Number(id),
    cpus.trim(),
  ]);
  check(
    'numactl: nodes and their CPUs',
    topology.nodes.map(({ id, cpus }) => [id, listCpus(cpus).join(' ')]),
    nodes,
  );
  const sizes = [...text.matchAll(/^node (\d+) size: (\d+) MB$/gm)].map(([, id, size]) => [
    Number(id),
    Number(size),
  ]);
  check(
    'numactl: memory in MiB',
    topology.nodes.map(({ id, memoryKiB }) => [id, Math.floor((memoryKiB ?? 0) / 1024)]),
    sizes,
  );
  const rows = [...text.matchAll(/^ *(\d+): +([\d ]+)$/gm)].map(([, id, row]) => [
    Number(id),
    row.trim().split(/ +/).map(Number),
  ]);
  check(
    'numactl: distances',
    topology.nodes.map(({ id, distances }) => [id, distances.length === 0 ? [10] : distances]),
    rows,
  );
} else skip('numactl');

const { devices, groups } = tell('devices');

if (has('lspci')) {
  const blocks = ask('lspci', '-Dvmmnnk').trim().split('\n\n');
  const theirs = blocks.map((block) =>
    Object.fromEntries([...block.matchAll(/^(\w+):\t(.*)$/gm)].map(([, key, value]) => [key, value])),
  );
  const id = (text) => /\[([0-9a-f]{4})\]$/.exec(text ?? '')?.[1] ?? null;
  check(
    'lspci: the functions',
    devices.map(({ address }) => address),
    theirs.map((one) => one.Slot),
  );
  check(
    'lspci: classes with their programming interface',
    devices.map(({ address, classCode }) => [address, classCode]),
    theirs.map((one) => [one.Slot, `${id(one.Class)}${one.ProgIf ?? '00'}`]),
  );
  check(
    'lspci: vendors and devices',
    devices.map(({ address, vendorId, deviceId }) => [address, vendorId, deviceId]),
    theirs.map((one) => [one.Slot, id(one.Vendor), id(one.Device)]),
  );
  // Bridges have their subsystem in a capability that lspci reads and sysfs does not; and 0000 is none for lspci
  const isEnd = new Set(
    devices
      .filter(({ isBridge, subsystemVendorId }) => !isBridge && subsystemVendorId !== '0000')
      .map(({ address }) => address),
  );
  check(
    'lspci: subsystems',
    devices
      .filter(({ address }) => isEnd.has(address))
      .map((one) => [one.address, one.subsystemVendorId, one.subsystemId]),
    theirs.filter((one) => isEnd.has(one.Slot)).map((one) => [one.Slot, id(one.SVendor), id(one.SDevice)]),
  );
  check(
    'lspci: drivers',
    devices.map(({ address, driver }) => [address, driver]),
    theirs.map((one) => [one.Slot, one.Driver ?? null]),
  );
  check(
    'lspci: NUMA nodes',
    devices.filter(({ node }) => node !== null).map(({ address, node }) => [address, node]),
    theirs.filter((one) => one.NUMANode !== undefined).map((one) => [one.Slot, Number(one.NUMANode)]),
  );
  check(
    'lspci: IOMMU groups',
    devices.filter(({ group }) => group !== null).map(({ address, group }) => [address, group]),
    theirs.filter((one) => one.IOMMUGroup !== undefined).map((one) => [one.Slot, Number(one.IOMMUGroup)]),
  );
  const bare = (text) => text.replace(/ \[[0-9a-f]{4}\]$/, '');
  // lspci says "Device [1234]" where the list has no name; then we have the vendor alone
  const named = theirs.filter((one) => !/^Device \[/.test(one.Device) && !/^Vendor \[/.test(one.Vendor));
  const names = new Set(named.map((one) => one.Slot));
  check(
    'lspci: names',
    devices.filter(({ address }) => names.has(address)).map(({ address, name }) => [address, name]),
    named.map((one) => [one.Slot, `${bare(one.Vendor)} ${bare(one.Device)}`]),
  );
  check(
    'the kernel: who is in which group',
    groups.flatMap((group) => group.addresses.map((address) => [address, group.id])),
    devices.filter(({ group }) => group !== null).map(({ address, group }) => [address, group]),
  );
} else skip('lspci');

if (has('lsusb') && existsSync('/dev/bus/usb')) {
  // A root hub is the controller itself
  const theirs = ask('lsusb')
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => /^Bus (\d+) Device (\d+): ID ([0-9a-f:]{9})/.exec(line))
    .filter((match) => match !== null && !match[3].startsWith('1d6b:'))
    .map(([, bus, device, ids]) => [Number(bus), Number(device), ids]);
  const ours = devices.flatMap(({ usb }) =>
    (usb ?? []).flatMap(({ bus, devices }) => devices.map(({ device, id }) => [bus, device, id])),
  );
  check('lsusb: what hangs on which bus', ours, theirs);
} else skip('lsusb');

const kernel = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
console.log(`# kernel ${kernel}`);
console.log(`${count - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 && count > 0 ? 0 : 1;
