import { vcpuCount } from '../inputs/check-run-profile.ts';
import { option, type PropertyValue } from './option.ts';
import type { RunBuild } from './run-build.ts';

/**
 * The Hyper-V enlightenments that KVM has on every processor (docs/system/i386/hyperv.rst), in QEMU's own names. Those for nested
 * guests (evmcs, avic, reenlightenment) are not among them: they are one maker's, or need the guest to use them.
 */
const HYPERV: Readonly<Record<string, PropertyValue>> = {
  'hv-relaxed': true,
  'hv-vapic': true,
  'hv-spinlocks': '0x1fff',
  'hv-vpindex': true,
  'hv-runtime': true,
  'hv-time': true,
  'hv-synic': true,
  'hv-stimer': true,
  'hv-reset': true,
  'hv-frequencies': true,
  'hv-tlbflush': true,
  'hv-ipi': true,
};

/** The model of the vCPUs with its features, and how many there are. */
export function addProcessor(build: RunBuild): void {
  const { run, picture } = build;
  const { machine } = run;
  const model = machine.cpu ?? (machine.accel === 'kvm' ? 'host' : 'max');
  const isHost = model === 'host' || model === 'max';
  const threads = machine.threads ?? 1;
  const hyperv = machine.hyperv ?? (machine.os === 'windows' && machine.accel === 'kvm');
  build.add(
    '-cpu',
    [
      option(model, {
        // The TSC then runs on at one speed whatever the host's CPUs do; nobody moves a guest with devices of this host
        migratable: isHost ? false : null,
        // Without it an AMD guest does not see the threads of a core as such
        topoext: isHost && threads > 1 && picture.processorVendor === 'amd' ? true : null,
        kvm: machine.hideKvm ? false : null,
        'host-phys-bits-limit': machine.physBits,
        ...(hyperv ? HYPERV : {}),
        'hv-vendor-id': machine.hvVendorId,
      }),
      ...(machine.cpuFlags ?? []),
    ].join(','),
  );
  const count = vcpuCount(run);
  const sockets = machine.sockets ?? 1;
  const dies = machine.dies ?? 1;
  build.add(
    '-smp',
    option(String(count), {
      sockets,
      dies,
      cores: machine.cores ?? count / sockets / dies / threads,
      threads,
    }),
  );
  if (build.isQ35 && count > 255 && !(machine.cpuFlags ?? []).length) {
    build.notes.push(
      `${count} vCPUs need an interrupt-remapping IOMMU in the guest; most systems see 255 of them`,
    );
  }
  const outside = (run.threads.pins ?? []).flat().filter((cpu) => !picture.onlineCpus.includes(cpu));
  if (outside.length > 0) {
    build.refuse(
      'cpu-offline',
      `Cannot place vCPUs of ${run.guest} on CPU ${[...new Set(outside)].join(', ')}: it is not online`,
      'passqemu topology shows which are',
    );
  }
}
