import type { Pinning } from '../lib/plan/pinning.ts';
import { formatCpuList } from '../lib/words/cpu-list.ts';

/** A proposal as `pin --json` prints it: CPU sets as kernel lists, and the three texts ready to be used. */
export interface PinningReport {
  readonly vcpus: readonly { readonly vcpu: number; readonly cpu: number }[];
  readonly guest: string;
  readonly emulator: string;
  readonly iothread: string;
  readonly host: string;
  readonly place: { readonly level: Pinning['place']['level']; readonly id: number | null };
  readonly nodes: readonly number[];
  readonly topology: { readonly sockets: 1; readonly cores: number; readonly threads: number };
  readonly reasons: readonly string[];
  readonly profile: string;
  readonly libvirt: string;
  readonly kernelParameters: string;
}

/** Puts a proposal into words. `vendor` is the processor's vendor_id, null where it is not told. */
export function describePinning(pinning: Pinning, vendor: string | null): PinningReport {
  const { cores, threads, nodes, reasons, place } = pinning;
  return {
    vcpus: pinning.vcpus.map((cpu, vcpu) => ({ vcpu, cpu })),
    guest: formatCpuList(pinning.guest),
    emulator: formatCpuList(pinning.emulator),
    iothread: formatCpuList(pinning.iothread),
    host: formatCpuList(pinning.host),
    place: { level: place.level, id: place.id },
    nodes,
    topology: { sockets: 1, cores, threads },
    reasons,
    profile: formatProfile(pinning),
    libvirt: formatLibvirt(pinning, vendor),
    kernelParameters: formatKernelParameters(pinning),
  };
}

/** The proposal for people. */
export function formatPinning(report: PinningReport): string {
  return [
    ...report.reasons,
    '',
    'In the profile (/etc/passqemu/GUEST.ini):',
    indent(report.profile),
    '',
    'In the domain XML (virsh edit GUEST):',
    indent(report.libvirt),
    '',
    'On the kernel command line, only if the CPUs shall be kept free at all times, also while no guest runs:',
    indent(report.kernelParameters),
  ].join('\n');
}

/** The guest's CPUs as the profile's key; passqemu reads the pins of a libvirt guest from its XML. */
function formatProfile({ guest }: Pinning): string {
  return `[cpu]\nguest = ${formatCpuList(guest)}`;
}

/** See libvirt's formatdomain, "CPU Tuning", "NUMA Node Tuning" and "CPU model and topology". */
function formatLibvirt(
  { vcpus, emulator, iothread, nodes, cores, threads }: Pinning,
  vendor: string | null,
): string {
  // Without it QEMU hides the threads of an AMD processor from the guest
  const topoext = vendor === 'AuthenticAMD' && threads > 1;
  return [
    `<vcpu placement='static'>${vcpus.length}</vcpu>`,
    '<iothreads>1</iothreads>',
    '<cputune>',
    ...vcpus.map((cpu, vcpu) => `  <vcpupin vcpu='${vcpu}' cpuset='${cpu}'/>`),
    `  <emulatorpin cpuset='${formatCpuList(emulator)}'/>`,
    `  <iothreadpin iothread='1' cpuset='${formatCpuList(iothread)}'/>`,
    '</cputune>',
    ...(nodes.length === 0
      ? []
      : ['<numatune>', `  <memory mode='strict' nodeset='${formatCpuList(nodes)}'/>`, '</numatune>']),
    "<cpu mode='host-passthrough' check='none' migratable='off'>",
    `  <topology sockets='1' dies='1' cores='${cores}' threads='${threads}'/>`,
    ...(topoext ? ["  <feature policy='require' name='topoext'/>"] : []),
    '</cpu>',
  ].join('\n');
}

/** See Documentation/admin-guide/kernel-parameters.rst. */
function formatKernelParameters({ guest, host }: Pinning): string {
  const list = formatCpuList(guest);
  return [
    `isolcpus=domain,managed_irq,${list}`,
    `nohz_full=${list}`,
    `rcu_nocbs=${list}`,
    `irqaffinity=${formatCpuList(host)}`,
  ].join(' ');
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
