import type { Command } from './command.ts';

/** The commands that look at the machine and change nothing. */
export const MACHINE_COMMANDS: readonly Command[] = [
  {
    name: 'devices',
    words: '[text]',
    summary: 'show the PCI functions by IOMMU group, and which groups can be given to a guest',
    options: [
      { name: 'gpu', help: 'display functions only' },
      { name: 'usb', help: 'USB controllers only' },
      { name: 'nvme', help: 'NVMe drives only' },
      { name: 'nic', help: 'network cards only' },
      { name: 'tree', help: 'by the bridges they hang on instead of by group' },
    ],
    changes: false,
    count: [0, 1],
    run: async (line, globals) => (await import('./devices.ts')).devices(line, globals),
  },
  {
    name: 'usb',
    words: '[text]',
    summary:
      'show the USB controllers, which can be given to a guest as a whole, and what hangs on which port',
    options: [],
    changes: false,
    count: [0, 1],
    run: async (line, globals) => (await import('./usb.ts')).usb(line, globals),
  },
  {
    name: 'topology',
    words: '',
    summary: 'show packages, caches, cores and memory nodes as a picture, and which guest has which CPUs',
    options: [{ name: 'svg', value: 'FILE', help: 'write the picture as SVG, - for standard output' }],
    changes: false,
    count: [0, 0],
    run: async (line, globals) => (await import('./topology.ts')).topology(line, globals),
  },
  {
    name: 'pin',
    words: '',
    summary: 'propose the CPUs of a guest: whole cores near each other and near its device, with the reason',
    options: [
      { name: 'vcpus', value: 'N', help: 'how many vCPUs (else as many as one L3 cache or node holds)' },
      { name: 'device', value: 'ADDR', help: 'the function that the guest gets: its NUMA node is preferred' },
      {
        name: 'smt',
        value: 'MODE',
        help: 'keep: a vCPU on each thread of a core (the default); spread: one a core',
      },
      { name: 'large-cache', help: 'only cores below the cache that is rich beside others' },
    ],
    changes: false,
    count: [0, 0],
    run: async (line, globals) => (await import('./pin.ts')).pin(line, globals),
  },
  {
    name: 'snapshot',
    words: '<file.tar.gz>',
    summary: 'record what the commands read of this machine, without serials, MACs and names, for --sysroot',
    options: [{ name: 'force', help: 'write over a file that is there' }],
    changes: false,
    count: [1, 1],
    run: async (line, globals) => (await import('./snapshot.ts')).snapshot(line, globals),
  },
  {
    name: 'report',
    words: '<file.html>',
    summary: 'write one page about this machine: findings, devices by IOMMU group, processors, memory',
    options: [{ name: 'force', help: 'write over a file that is there' }],
    changes: false,
    count: [1, 1],
    run: async (line, globals) => (await import('./report.ts')).report(line, globals),
  },
];
