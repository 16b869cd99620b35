import { readDevicesReport } from '../../launchers/devices-report.ts';
import type { ReportInput } from '../../launchers/report-page.ts';
import type { Finding } from '../../lib/doctor/finding.ts';
import { putMounts } from '../fake/device-model.ts';
import { labMachine } from '../fake/lab-machine.ts';
import { makeTopology, SHAPES } from '../fake/topologies.ts';

export const HOSTILE = `</pre></script><script>document.title='owned'</script><img src=x onerror="document.title='owned'">&"'`;

/** A report with everything in it: each answer of the doctor, guests on CPUs, groups that can be passed and not, names that are markup. */
export function reportInput(): ReportInput {
  const machine = labMachine();
  putMounts(machine, '259:0 / /srv ext4 /dev/nvme0n1');
  machine.put('/usr/share/misc/pci.ids', `1b36  ${HOSTILE}\n`);
  const finding = (status: Finding['status'], at: number): Finding => ({
    id: `memory.check-${at}`,
    theme: 'memory',
    title: `Question ${at} ${HOSTILE}`,
    status,
    summary: `What was found, with a long word: ${'/sys/devices/pci0000:00/'.repeat(8)}`,
    detail: 'It means this.\nAnd that.',
    remedy:
      status === 'ok'
        ? null
        : 'sed -i s/^GRUB_CMDLINE_LINUX_DEFAULT=.*/GRUB_CMDLINE_LINUX_DEFAULT="quiet intel_iommu=on iommu=pt"/ /etc/default/grub\nupdate-grub',
  });
  const topology = makeTopology({ ...SHAPES.server, isolated: [3] });
  return {
    system: 'Debian GNU/Linux 12 (bookworm)',
    kernel: '6.12.95-amd64',
    commandLine: `quiet ${HOSTILE}`,
    findings: (['fail', 'fail', 'warn', 'unknown', 'ok'] as const).map(finding),
    devices: readDevicesReport(machine, '/run/passqemu'),
    topology: {
      ...topology,
      nodes: topology.nodes.map((node) => ({
        ...node,
        hugepages: [{ sizeKiB: 2048, total: 512, free: 100 }],
      })),
      guests: [
        { guest: 'win11', cpus: '4-7,36-39', vcpus: [{ vcpu: 0, cpus: '4' }] },
        { guest: HOSTILE, cpus: '20-21,52-53', vcpus: [] },
      ],
    },
    timeMs: Date.UTC(2026, 10, 21, 12, 0),
  };
}
