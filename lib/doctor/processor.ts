import { type Check, fail, ok, unknown, warn, withSeen } from './check.ts';

/** What the processor itself must be able to do. */
export const PROCESSOR_CHECKS: readonly Check[] = [
  {
    id: 'processor.virtualization',
    title: 'Virtualization of the processor',
    meaning:
      'KVM needs Intel VT-x (flag vmx) or AMD-V (flag svm); without it guests are emulated, a hundred times slower.',
    judge: ({ processor }) =>
      withSeen(processor, ({ flags, vendor }) => {
        if (flags.has('vmx')) return ok('The processor has VT-x, and firmware leaves it on');
        if (flags.has('svm')) return ok('The processor has AMD-V, and firmware leaves it on');
        if (flags.size === 0) return unknown('/proc/cpuinfo lists no flags (not an x86 processor)');
        const name = vendor === 'amd' ? 'AMD-V (svm)' : vendor === 'intel' ? 'VT-x (vmx)' : 'vmx or svm';
        return fail(
          `The processor shows no ${name}`,
          flags.has('hypervisor')
            ? 'This host is itself a guest: turn nested virtualization on at the host below (libvirt: <cpu mode="host-passthrough"/>, kvm_intel nested=1 or kvm_amd nested=1)'
            : vendor === 'amd'
              ? 'Turn on "SVM Mode" in the firmware’s setup (often under Overclocking or CPU configuration), then power off once'
              : 'Turn on "Intel Virtualization Technology" (VT-x, VMX) in the firmware’s setup, then power off once',
        );
      }),
  },
  {
    id: 'processor.bare-metal',
    title: 'A machine, not a guest',
    meaning:
      'In a guest only those devices can be passed on that the host below gives away together with a virtual IOMMU.',
    judge: ({ processor }) =>
      withSeen(processor, ({ flags }) => {
        if (flags.size === 0) return unknown('/proc/cpuinfo lists no flags (not an x86 processor)');
        return flags.has('hypervisor')
          ? warn(
              'This host is itself a guest of some hypervisor',
              'Give the outer guest a virtual IOMMU (libvirt: <iommu model="intel"><driver intremap="on" caching_mode="on"/></iommu>) or run on the machine itself',
            )
          : ok('The kernel runs on the machine itself');
      }),
  },
  {
    id: 'processor.gigabyte-pages',
    title: '1 GiB pages',
    meaning:
      'Pages of 1 GiB (flag pdpe1gb) spare a guest with much memory most TLB misses; 2 MiB pages work everywhere.',
    judge: ({ processor }) =>
      withSeen(processor, ({ flags }) => {
        if (flags.size === 0) return unknown('/proc/cpuinfo lists no flags (not an x86 processor)');
        return flags.has('pdpe1gb')
          ? ok('The processor has pages of 1 GiB')
          : warn('The processor has no pages of 1 GiB', 'Write hugepages = 2M in the profile, not 1G');
      }),
  },
];
