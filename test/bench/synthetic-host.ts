import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** How large the machine is. */
export interface HostSize {
  readonly cpus: number;
  readonly functions: number;
}

const CLASSES = ['0x020000', '0x010802', '0x030000', '0x0c0330'];
const DRIVERS = ['mlx5_core', 'nvme', 'amdgpu', 'xhci_hcd'];
/** 8 functions a bus, 8 buses a root port's worth of domain: as spread out as on real machines of that size. */
const FUNCTIONS_A_BUS = 8;
const CPUS_A_NODE = 64;

/**
 * Writes the tree of a recorded machine (`--sysroot`) of that size below a folder: each function alone in its IOMMU group on
 * its own driver, every fourth a network card with its interface and every fourth an NVMe with its disk; a policy for each
 * CPU; cgroups as systemd has them. Everything that planning asks for, with the links as sysfs has them.
 */
export function writeSyntheticHost(root: string, size: HostSize): void {
  const tree = new Tree(root);
  tree.put('/proc/sys/kernel/osrelease', '6.12.0-synthetic');
  tree.put('/proc/self/mountinfo', '22 1 0:20 / / rw - ext4 /dev/root rw');
  tree.put('/proc/self/mounts', '/dev/root / ext4 rw 0 0');
  tree.put('/proc/mounts', '/dev/root / ext4 rw 0 0');
  tree.put('/proc/swaps', 'Filename\tType\tSize\tUsed\tPriority');
  tree.put(
    '/proc/net/route',
    'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT',
  );
  for (const module of ['vfio_pci', 'vfio_iommu_type1']) tree.put(`/sys/module/${module}/initstate`, 'live');
  tree.folder('/sys/bus/pci/drivers/vfio-pci');
  tree.folder('/sys/class/iommu/dmar0');
  for (let index = 0; index < size.functions; index++) putFunction(tree, index);
  putCpus(tree, size.cpus);
  putMemory(tree, size.cpus);
}

/** The address of the function with this number, from 0 on. */
export function syntheticAddress(index: number): string {
  const bus = Math.floor(index / FUNCTIONS_A_BUS);
  const domain = Math.floor(bus / 128);
  return `${hex(domain, 4)}:${hex((bus % 128) + 1, 2)}:00.${index % FUNCTIONS_A_BUS}`;
}

function putFunction(tree: Tree, index: number): void {
  const address = syntheticAddress(index);
  const kind = index % CLASSES.length;
  const folder = `/sys/devices/pci${address.slice(0, 7)}/${address}`;
  const driver = DRIVERS[kind]!;
  const group = `/sys/kernel/iommu_groups/${index}`;
  const files: Record<string, string> = {
    vendor: '0x15b3',
    device: `0x${hex(0x1000 + kind, 4)}`,
    subsystem_vendor: '0x15b3',
    subsystem_device: '0x0001',
    class: CLASSES[kind]!,
    driver_override: '(null)',
    numa_node: '0',
    reset_method: 'flr bus',
    power_state: 'D0',
    d3cold_allowed: '1',
    'power/control': 'on',
    resource: '0x0000000000000000 0x0000000000000000 0x0000000000000000\n'.repeat(13),
  };
  for (const [name, text] of Object.entries(files)) tree.put(`${folder}/${name}`, text);
  tree.link(`/sys/bus/pci/devices/${address}`, folder);
  tree.link(`/sys/bus/pci/drivers/${driver}/${address}`, folder);
  tree.link(`${folder}/driver`, `/sys/bus/pci/drivers/${driver}`);
  tree.link(`${folder}/iommu_group`, group);
  tree.link(`${group}/devices/${address}`, folder);
  if (driver === 'nvme') {
    tree.put(`${folder}/nvme/nvme${index}/nvme${index}n1/dev`, `259:${index}`);
    tree.put(`${folder}/nvme/nvme${index}/dev`, `242:${index}`);
    tree.link(`/sys/class/nvme/nvme${index}`, `${folder}/nvme/nvme${index}`);
    tree.link(`/sys/class/block/nvme${index}n1`, `${folder}/nvme/nvme${index}/nvme${index}n1`);
    tree.link(`/sys/block/nvme${index}n1`, `${folder}/nvme/nvme${index}/nvme${index}n1`);
  } else if (driver === 'mlx5_core') {
    tree.put(`${folder}/net/eth${index}/address`, `02:00:00:00:${hex(index >> 8, 2)}:${hex(index & 255, 2)}`);
    tree.link(`/sys/class/net/eth${index}`, `${folder}/net/eth${index}`);
  }
}

function putCpus(tree: Tree, count: number): void {
  const cpus = '/sys/devices/system/cpu';
  const all = `0-${count - 1}`;
  for (const name of ['online', 'present', 'possible']) tree.put(`${cpus}/${name}`, all);
  for (let cpu = 0; cpu < count; cpu++) {
    const policy = `${cpus}/cpufreq/policy${cpu}`;
    tree.put(`${policy}/affected_cpus`, String(cpu));
    tree.put(`${policy}/scaling_driver`, 'acpi-cpufreq');
    tree.put(`${policy}/scaling_governor`, 'schedutil');
    tree.put(`${policy}/scaling_available_governors`, 'performance powersave schedutil');
    tree.link(`${cpus}/cpu${cpu}/cpufreq`, policy);
  }
  const mask = Array.from({ length: count / 16 }, () => 'ffff').join('');
  const words = mask.match(/.{1,8}/g)!.join(',');
  tree.put('/proc/irq/default_smp_affinity', words);
  tree.put('/sys/devices/virtual/workqueue/cpumask', words);
  tree.folder('/run/systemd/system');
  tree.put('/sys/fs/cgroup/cgroup.controllers', 'cpuset cpu io memory hugetlb pids');
  for (const unit of ['system.slice', 'user.slice', 'init.scope']) {
    tree.put(`/sys/fs/cgroup/${unit}/cpuset.cpus`, '');
    tree.put(`/sys/fs/cgroup/${unit}/cpuset.cpus.effective`, all);
  }
}

function putMemory(tree: Tree, cpus: number): void {
  const pools = { nr_hugepages: '0', free_hugepages: '0', surplus_hugepages: '0', resv_hugepages: '0' };
  for (const [name, text] of Object.entries(pools))
    tree.put(`/sys/kernel/mm/hugepages/hugepages-2048kB/${name}`, text);
  const memory = (prefix: string) => `${prefix}MemTotal: 67108864 kB\n${prefix}MemFree: 60000000 kB\n`;
  tree.put('/proc/meminfo', `${memory('')}Hugepagesize: 2048 kB`);
  for (let node = 0; node < Math.ceil(cpus / CPUS_A_NODE); node++) {
    const folder = `/sys/devices/system/node/node${node}`;
    tree.put(`${folder}/cpulist`, `${node * CPUS_A_NODE}-${Math.min(cpus, (node + 1) * CPUS_A_NODE) - 1}`);
    tree.put(`${folder}/meminfo`, memory(`Node ${node} `));
    for (const [name, text] of Object.entries(pools)) {
      if (name !== 'resv_hugepages') tree.put(`${folder}/hugepages/hugepages-2048kB/${name}`, text);
    }
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

/** Files and links below one folder. */
class Tree {
  readonly #root: string;
  readonly #folders = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  folder(name: string): void {
    if (this.#folders.has(name)) return;
    mkdirSync(this.#root + name, { recursive: true });
    this.#folders.add(name);
  }

  put(name: string, text: string): void {
    this.folder(path.posix.dirname(name));
    writeFileSync(this.#root + name, `${text}\n`);
  }

  /** A relative link, as sysfs has them: it stays inside the tree. */
  link(name: string, target: string): void {
    this.folder(path.posix.dirname(name));
    symlinkSync(path.posix.relative(path.posix.dirname(name), target), this.#root + name);
  }
}
