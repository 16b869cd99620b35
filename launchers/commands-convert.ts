import type { Command } from './command.ts';

/** The commands that make profiles, and other programs’ forms of them. */
export const CONVERT_COMMANDS: readonly Command[] = [
  {
    name: 'import',
    words: '<domain.xml|vm.conf|->',
    summary:
      'make a profile from libvirt’s domain XML or a Proxmox configuration, and list what it cannot hold',
    options: [],
    changes: false,
    count: [1, 1],
    run: async (line, globals) => (await import('./import.ts')).importGuest(line, globals),
  },
  {
    name: 'export',
    words: '<guest> --to libvirt|proxmox|qemu',
    summary:
      'write a guest as domain XML, as qm set commands or as a plain command line, and list what is lost',
    options: [
      { name: 'to', value: 'FORM', help: 'libvirt, proxmox or qemu' },
      { name: 'vmid', value: 'NUMBER', help: 'the machine in Proxmox (else the variable VMID)' },
      { name: 'storage', value: 'NAME', help: 'where Proxmox makes disks for firmware variables and TPM' },
    ],
    changes: false,
    count: [1, 1],
    run: async (line, globals) => (await import('./export.ts')).exportGuest(line, globals),
  },
  {
    name: 'new',
    words: '[guest]',
    summary: 'ask what a guest shall have, write its profile with comments, and show the plan',
    options: [],
    changes: true,
    count: [0, 1],
    run: async (line, globals) => (await import('./new.ts')).newGuest(line, globals),
  },
];
