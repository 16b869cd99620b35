import type { Checkup } from '../host/checkup.ts';
import { valuesOf, wordsOf } from '../host/kernel-parameters.ts';
import { isUnseen, seenOr } from '../words/seen.ts';
import { type Check, fail, ok, unknown, type Verdict, warn, withSeen } from './check.ts';
import { quotedLines } from './describe.ts';
import { addKernelArguments, addModprobeLines, removeKernelArgument } from './remedies.ts';

/** Whether devices are isolated from each other and from the host's memory. */
export const IOMMU_CHECKS: readonly Check[] = [
  {
    id: 'iommu.firmware-table',
    title: 'IOMMU told by firmware',
    meaning:
      'The kernel finds the IOMMU by an ACPI table: DMAR (Intel VT-d), IVRS (AMD-Vi), IORT (ARM) or VIOT (virtio).',
    judge: (checkup) =>
      withSeen(checkup.iommu.tables, (tables) =>
        tables.length > 0
          ? ok(`Firmware has the table ${tables.join(' and ')}`)
          : fail('Firmware tells the kernel of no IOMMU', firmwareSwitch(checkup)),
      ),
  },
  {
    id: 'iommu.enabled',
    title: 'IOMMU in use',
    meaning:
      'Without IOMMU groups no device can be passed: VFIO refuses to bind it (error -22), and a guest’s DMA could reach all memory.',
    judge: (checkup) => judgeEnabled(checkup),
  },
  {
    id: 'iommu.command-line',
    title: 'IOMMU words on the kernel’s command line',
    meaning:
      'amd_iommu=on is no word that the kernel knows (AMD’s IOMMU is on by default); off beats what firmware says.',
    judge: (checkup) => withSeen(checkup.parameters, () => judgeWords(checkup)),
  },
  {
    id: 'iommu.default-domain',
    title: 'Default domain of host devices',
    meaning:
      'With iommu=pt devices that the host keeps bypass translation; passed ones are translated in either case. Strict translation costs host disks and network cards some speed.',
    judge: (checkup) => {
      const { domainTypes, enabled } = checkup.iommu;
      if (!enabled) return unknown('there are no IOMMU groups');
      if (domainTypes.size === 0) return unknown('the kernel does not tell the type of its groups’ domains');
      const counts = [...domainTypes].map(([type, count]) => `${count} ${type}`).join(', ');
      // Devices behind an outward port (Thunderbolt) are translated strictly in any case
      const all = [...domainTypes.values()].reduce((sum, count) => sum + count, 0);
      return (domainTypes.get('DMA') ?? 0) * 2 > all
        ? warn(
            'Host devices are translated strictly',
            addKernelArguments(checkup, 'iommu=pt'),
            `Groups by domain type: ${counts}.`,
          )
        : ok('Host devices are not slowed down by strict translation', `Groups by domain type: ${counts}.`);
    },
  },
  {
    id: 'iommu.interrupt-remapping',
    title: 'Interrupt remapping',
    meaning:
      'Without it a guest could send any interrupt to the host, so VFIO refuses devices ("No interrupt remapping support").',
    judge: (checkup) => {
      if (!checkup.iommu.enabled) return unknown('there are no IOMMU groups');
      if (seenOr(checkup.processor, null)?.flags.size === 0)
        return unknown('not an x86 processor: its interrupts are kept apart in another way');
      return withSeen(checkup.iommu.remapsInterrupts, (remaps) => {
        if (remaps) return ok('Interrupts are remapped');
        const words = seenOr(checkup.parameters, []);
        const off = wordsOf(words, 'intremap').includes('off') || valuesOf(words, 'nointremap').length > 0;
        return fail(
          'Interrupts are not remapped',
          off
            ? removeKernelArgument(checkup, 'intremap=off')
            : 'Update the firmware, and turn on x2APIC and "Interrupt Remapping" in its setup; only where the machine has none and every guest is trusted: options vfio_iommu_type1 allow_unsafe_interrupts=1',
        );
      });
    },
  },
  {
    id: 'iommu.unsafe-interrupts',
    title: 'Unsafe interrupts',
    meaning:
      'allow_unsafe_interrupts lets guests with devices forge interrupts of the host: an attack from inside a guest becomes possible.',
    judge: ({ iommu, virtualization }) => {
      if (iommu.unsafeInterrupts === null) {
        return virtualization.modules.get('vfio_iommu_type1') === 'loaded'
          ? unknown('vfio_iommu_type1 does not show its parameter allow_unsafe_interrupts')
          : ok('vfio_iommu_type1 is not loaded');
      }
      return iommu.unsafeInterrupts
        ? warn(
            'VFIO accepts unsafe interrupts',
            'Take allow_unsafe_interrupts out of /etc/modprobe.d and the kernel’s command line, then reboot',
          )
        : ok('VFIO insists on interrupt remapping');
    },
  },
  {
    id: 'iommu.acs-override',
    title: 'ACS override',
    meaning:
      'Groups split by pcie_acs_override only look isolated: devices in one true group can still reach each other (and so the host’s devices) directly, past the IOMMU.',
    judge: (checkup) =>
      withSeen(checkup.parameters, (words) => {
        const used = [
          ...valuesOf(words, 'pcie_acs_override').map((value) => `pcie_acs_override=${value}`),
          ...wordsOf(words, 'pci')
            .filter((word) => /^(?:config_acs|disable_acs_redir)=/.test(word))
            .map((word) => `pci=${word}`),
        ];
        return used.length === 0
          ? ok('Groups are those of the hardware')
          : warn(
              `The groups are split by ${used.join(' and ')}: isolation is claimed, not enforced`,
              `Trust each guest that has a device of such a group as you trust the host; else move the card to a slot of the processor and ${removeKernelArgument(checkup, used[0]!)}`,
            );
      }),
  },
  {
    id: 'iommu.integrated-graphics',
    title: 'IOMMU of the integrated graphics',
    meaning:
      'intel_iommu=igfx_off leaves the integrated GPU out of the IOMMU: it is in no group and cannot be passed, and the sound of its HDMI outputs can fail.',
    judge: (checkup) =>
      withSeen(checkup.parameters, (words) =>
        wordsOf(words, 'intel_iommu').includes('igfx_off')
          ? warn('intel_iommu=igfx_off is set', removeKernelArgument(checkup, 'igfx_off (of intel_iommu=)'))
          : ok('The integrated GPU is treated like every device'),
      ),
  },
  {
    id: 'iommu.no-iommu-mode',
    title: 'VFIO without IOMMU',
    meaning:
      'enable_unsafe_noiommu_mode hands devices to user programs without any protection; QEMU cannot use them so.',
    judge: ({ iommu, virtualization, ...checkup }) => {
      if (iommu.noIommuMode === null) {
        return virtualization.modules.get('vfio_pci') === 'loaded' && iommu.enabled === false
          ? unknown('vfio does not show its parameter enable_unsafe_noiommu_mode')
          : ok('This kernel’s VFIO always demands an IOMMU');
      }
      return iommu.noIommuMode
        ? fail(
            'VFIO hands out devices without an IOMMU',
            `Take enable_unsafe_noiommu_mode out of /etc/modprobe.d and the kernel’s command line. ${addModprobeLines(checkup, ['options vfio enable_unsafe_noiommu_mode=0'])}`,
          )
        : ok('VFIO demands an IOMMU');
    },
  },
  {
    id: 'iommu.faults',
    title: 'DMA faults',
    meaning:
      'A device reached for memory that it was not given: a passed device that was not reset, wrong firmware tables (RMRR), or a faulty card.',
    judge: ({ log }) =>
      withSeen(log, (lines) => {
        const faults = lines.filter((line) =>
          /DMAR: \[(?:DMA|INTR)|AMD-Vi: Event logged|IO_PAGE_FAULT|arm-smmu.*Unhandled context fault/.test(
            line,
          ),
        );
        return faults.length === 0
          ? ok('The kernel’s log has no DMA faults')
          : warn(
              `The kernel has logged ${faults.length} DMA ${faults.length === 1 ? 'fault' : 'faults'}`,
              'Look which function the lines name; update the firmware, power the machine off once, or leave it to the host',
              `${quotedLines(faults)}.`,
            );
      }),
  },
  {
    id: 'iommu.address-width',
    title: 'Address width of the IOMMU',
    meaning:
      'Where a guest may use longer addresses than the IOMMU takes, mapping its memory fails (VFIO_MAP_DMA: Invalid argument, -22).',
    judge: ({ iommu, processor, guest }) => {
      if (iommu.widthBits === null) {
        return iommu.units.some((unit) => unit.startsWith('ivhd'))
          ? ok('AMD’s IOMMU takes 48 bits and more')
          : unknown('no IOMMU shows its capabilities in /sys/class/iommu');
      }
      const bits = iommu.widthBits;
      const limit = guest?.xml?.addressLimitBits ?? null;
      return withSeen(processor, ({ physicalBits }) => {
        if (physicalBits === null) return unknown('/proc/cpuinfo has no line "address sizes"');
        return Math.min(physicalBits, limit ?? physicalBits) > bits
          ? warn(
              `The IOMMU takes addresses of ${bits} bits, the processor has ${physicalBits}`,
              `In the guest’s XML: <cpu mode="host-passthrough"><maxphysaddr mode="passthrough" limit="${bits}"/></cpu>; with plain QEMU: -cpu host,host-phys-bits=on,host-phys-bits-limit=${bits}`,
            )
          : ok(
              `The IOMMU takes addresses of ${bits} bits, guests use at most ${Math.min(physicalBits, limit ?? physicalBits)}`,
            );
      });
    },
  },
];

function judgeEnabled(checkup: Checkup): Verdict {
  const { iommu, processor, parameters, functions } = checkup;
  if (iommu.enabled)
    return ok(`The IOMMU is in use${iommu.units.length > 0 ? ` (${iommu.units.join(', ')})` : ''}`);
  if (isUnseen(functions)) return unknown(functions.unseen);
  const vendor = seenOr(processor, null)?.vendor;
  const words = seenOr(parameters, []);
  const off = ['off', 'false'].some((word) =>
    ['iommu', 'intel_iommu', 'amd_iommu'].some((name) => wordsOf(words, name).includes(word)),
  );
  const tables = seenOr(iommu.tables, null);
  const what = 'The kernel has no IOMMU groups';
  if (off) return fail(what, `See iommu.command-line: a word there turns the IOMMU off`);
  if (tables !== null && tables.length === 0) return fail(what, firmwareSwitch(checkup));
  return vendor === 'amd'
    ? fail(
        what,
        `${firmwareSwitch(checkup)}; the kernel’s log says why it is not used (journalctl -k -g AMD-Vi)`,
      )
    : fail(what, addKernelArguments(checkup, vendor === 'intel' ? 'intel_iommu=on iommu=pt' : 'iommu=pt'));
}

function judgeWords(checkup: Checkup): Verdict {
  const words = seenOr(checkup.parameters, []);
  const vendor = seenOr(checkup.processor, null)?.vendor;
  for (const name of ['iommu', 'intel_iommu', 'amd_iommu']) {
    if (wordsOf(words, name).includes('off')) {
      return fail(`${name}=off turns the IOMMU off`, removeKernelArgument(checkup, `${name}=off`));
    }
  }
  if (wordsOf(words, 'amd_iommu').includes('on')) {
    return warn('amd_iommu=on means nothing to the kernel', removeKernelArgument(checkup, 'amd_iommu=on'));
  }
  if (vendor === 'amd' && valuesOf(words, 'intel_iommu').length > 0) {
    return warn(
      'intel_iommu= means nothing on an AMD processor',
      removeKernelArgument(checkup, `intel_iommu=${valuesOf(words, 'intel_iommu')[0]}`),
    );
  }
  return ok('No word turns the IOMMU off, and none is without meaning');
}

function firmwareSwitch({ processor }: Checkup): string {
  const vendor = seenOr(processor, null)?.vendor;
  if (vendor === 'intel')
    return 'Turn on "VT-d" (Intel Virtualization Technology for Directed I/O) in the firmware’s setup';
  if (vendor === 'amd') return 'Turn on "IOMMU" in the firmware’s setup (AMD CBS, NBIO; "Auto" is often off)';
  return 'Turn on the IOMMU (VT-d, AMD-Vi, SMMU) in the firmware’s setup; a guest needs a virtual IOMMU';
}
