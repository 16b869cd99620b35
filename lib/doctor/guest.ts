import { formatArgvWords } from '../inputs/argv-words.ts';
import { type Check, fail, ok, unknown, warn, withSeen } from './check.ts';
import { GUEST_DEVICE_CHECKS } from './guest-devices.ts';
import { GUEST_RUN_CHECKS } from './guest-run.ts';
import { install } from './remedies.ts';
import { isNvidia, withXml } from './with-guest.ts';

/** One guest's XML and profile against this host. */
export const GUEST_CHECKS: readonly Check[] = [
  {
    id: 'guest.plan',
    title: 'The guest can be prepared',
    meaning: 'What passqemu plan says: every reason for which a start would be refused now.',
    judge: ({ guest }) => {
      if (guest === null) return ok('No guest was asked about');
      if (guest.profile === null) return ok('The guest has no profile: passqemu leaves it alone');
      return withSeen(guest.refusals, (refusals) =>
        refusals.length === 0
          ? ok('Nothing speaks against a start')
          : fail(
              refusals.map(({ summary }) => summary).join('; '),
              refusals.flatMap(({ remedy }) => remedy ?? []).join('; ') ||
                `passqemu plan ${formatArgvWords([guest.guest])} shows the reasons`,
            ),
      );
    },
  },
  {
    id: 'guest.profile',
    title: 'The guest has a profile',
    meaning:
      'Without a profile the hook leaves a guest alone: managed="yes" then has libvirt detach the device without a time limit.',
    judge: (checkup) =>
      withXml(checkup, (_xml, guest) => {
        const passed = guest.domain?.functions ?? [];
        if (guest.profile !== null || passed.length === 0)
          return ok(
            guest.profile === null ? 'The guest has no PCI devices of the host' : 'The guest has a profile',
          );
        return warn(
          'The guest has PCI devices and no profile',
          `passqemu enable ${formatArgvWords([guest.guest])} (as root)`,
        );
      }),
  },
  {
    id: 'guest.firmware',
    title: 'Firmware of the guest',
    meaning:
      'By SeaBIOS a graphics card works only with its old VGA ROM and with VGA arbitration; UEFI needs neither.',
    judge: (checkup) =>
      withXml(checkup, (xml, guest) => {
        const uefi = xml.firmware === 'efi' || xml.loader?.type === 'pflash';
        const missing = [xml.loader?.path, xml.nvram?.template].find(
          (path) => path != null && isGone(guest.paths.get(path)),
        );
        if (missing !== undefined)
          return fail(
            `The guest’s firmware ${missing} is not there`,
            `Write <os firmware="efi"> and take <loader> and <nvram> out, so that libvirt finds it; ${install(checkup, 'ovmf')} if it is not installed`,
          );
        return uefi ||
          !checkup.cards.some(({ fn }) =>
            guest.domain?.functions.some(({ address }) => address === fn.address),
          )
          ? ok(uefi ? 'The guest starts by UEFI' : 'The guest has no graphics card')
          : warn(
              'The guest has a graphics card and starts by SeaBIOS',
              'Make a new guest with UEFI (<os firmware="efi">): an installed Windows must be converted first (mbr2gpt)',
            );
      }),
  },
  {
    id: 'guest.firmware-pair',
    title: 'Firmware and its variables fit',
    meaning:
      'Code of 4 MiB with variables of 2 MiB (or the other way round) starts without a word, and then forgets its boot entries or hangs.',
    judge: (checkup) =>
      withXml(checkup, ({ loader, nvram }, guest) => {
        const [code, variables] = [loader?.path, nvram?.template].map((path) => guest.paths.get(path ?? ''));
        if (loader === null || code === undefined || variables === undefined)
          return ok('libvirt chooses firmware and variables together');
        return withSeen(code, (one) =>
          withSeen(variables, (other) => {
            if (one === null || other === null) return unknown('the firmware or its template is not there');
            const fits = [loader.path, nvram?.template].some((path) => path?.endsWith('.qcow2') === true);
            return fits || Number.isInteger(Math.log2((one.sizeBytes + other.sizeBytes) / 2 ** 20))
              ? ok('The firmware and the template of its variables are of one size')
              : warn(
                  `${loader.path} (${one.sizeBytes} bytes) and ${nvram?.template} (${other.sizeBytes} bytes) are no pair`,
                  'Name the template beside the firmware (CODE_4M with VARS_4M), or write <os firmware="efi"> and let libvirt choose; the guest’s old variables must be made anew (virsh start --reset-nvram)',
                );
          }),
        );
      }),
  },
  {
    id: 'guest.machine',
    title: 'Machine type',
    meaning:
      'The old machine (i440fx) has no PCI Express: drivers of graphics cards miss their link, and some do not start.',
    judge: (checkup) =>
      withXml(checkup, ({ machine }, guest) =>
        /^(?:pc|pc-i440fx.*)$/.test(machine ?? '') && (guest.domain?.functions.length ?? 0) > 0
          ? warn(
              `The guest’s machine is ${machine}`,
              'Use machine="q35" (a new guest: installed systems may not start on it)',
            )
          : ok(machine === null ? 'libvirt chooses the machine' : `The guest’s machine is ${machine}`),
      ),
  },
  {
    id: 'guest.hidden-kvm',
    title: 'Code 43',
    meaning:
      'NVIDIA’s drivers before 465 stop with code 43 when they notice KVM or Hyper-V’s usual vendor id; newer ones, and other makes, do not care.',
    judge: (checkup) =>
      withXml(checkup, (xml, guest) => {
        if (!(guest.domain?.functions ?? []).some(({ address }) => isNvidia(checkup, address))) {
          return 'unseen' in checkup.functions
            ? unknown(checkup.functions.unseen)
            : ok('The guest has no card of NVIDIA’s');
        }
        return xml.hiddenKvm && (xml.hyperv.length === 0 || xml.hypervVendor !== null)
          ? ok('KVM is hidden from the driver')
          : warn(
              'The guest has a card of NVIDIA’s and shows it KVM',
              'For drivers before 465: <kvm><hidden state="on"/></kvm> and <hyperv><vendor_id state="on" value="0123456789ab"/></hyperv> in <features>',
            );
      }),
  },
  {
    id: 'guest.cpu-model',
    title: 'Processor of the guest',
    meaning:
      'A made-up processor model lacks what drivers and games look for; host-passthrough shows the guest the real one.',
    judge: (checkup) =>
      withXml(checkup, ({ cpuMode, type }) =>
        type !== 'kvm' || ['host-passthrough', 'host-model', 'maximum'].includes(cpuMode ?? '')
          ? ok(type === 'kvm' ? 'The guest sees the host’s processor' : 'The guest does not run by KVM')
          : warn(
              `The guest’s processor is ${cpuMode ?? 'libvirt’s default'}`,
              '<cpu mode="host-passthrough" check="none" migratable="off"/>',
            ),
      ),
  },
  {
    id: 'guest.topoext',
    title: 'Threads of AMD’s cores',
    meaning: 'Without the flag topoext a guest on an AMD processor does not see which vCPUs share a core.',
    judge: (checkup) =>
      withXml(checkup, ({ threads, cpuFeatures }) =>
        withSeen(checkup.processor, ({ vendor }) =>
          vendor === 'amd' && (threads ?? 1) > 1 && cpuFeatures.get('topoext') !== 'require'
            ? warn(
                'The guest has two threads a core and no topoext',
                '<feature policy="require" name="topoext"/> in <cpu>',
              )
            : ok('The guest sees its cores as they are meant'),
        ),
      ),
  },
  {
    id: 'guest.hyper-v',
    title: 'Hyper-V’s enlightenments',
    meaning:
      'Windows under KVM takes a tenth and more of a CPU for its clock and locks unless it is told that they are cheap.',
    judge: (checkup) =>
      withXml(checkup, ({ os, hyperv }) => {
        const missing = ['relaxed', 'vapic', 'spinlocks', 'vpindex', 'synic', 'stimer'].filter(
          (name) => !hyperv.includes(name),
        );
        return os?.includes('microsoft.com/win') !== true ||
          hyperv.includes('passthrough') ||
          missing.length === 0
          ? ok(
              os === null
                ? 'The XML does not say which system the guest has'
                : 'The guest has what its system can use',
            )
          : warn(
              `Windows lacks ${missing.join(', ')}`,
              `<hyperv mode="custom">${missing.map((name) => (name === 'spinlocks' ? '<spinlocks state="on" retries="8191"/>' : `<${name} state="on"/>`)).join('')}</hyperv> in <features>`,
            );
      }),
  },
  {
    id: 'guest.balloon',
    title: 'Balloon',
    meaning:
      'The memory of a guest with a passed device is locked: the balloon gives nothing back, and slows some systems down.',
    judge: (checkup) =>
      withXml(checkup, ({ balloon }, guest) =>
        balloon && (guest.domain?.functions.length ?? 0) > 0
          ? warn('The guest has a balloon beside passed devices', '<memballoon model="none"/>')
          : ok('No balloon, or no passed devices'),
      ),
  },
  {
    id: 'guest.emulator',
    title: 'The guest’s emulator',
    meaning:
      'The XML names the QEMU that runs the guest; after a change of distribution it may be elsewhere.',
    judge: (checkup) =>
      withXml(checkup, ({ emulator }, guest) => {
        if (emulator === null) return ok('libvirt chooses the emulator');
        const facts = guest.paths.get(emulator);
        return facts === undefined
          ? ok(`The emulator is ${emulator}`)
          : withSeen(facts, (one) =>
              one === null
                ? fail(
                    `The guest’s emulator ${emulator} is not there`,
                    `Take <emulator> out of the XML; ${install(checkup, 'qemu')} if QEMU is not installed`,
                  )
                : ok(`The emulator is ${emulator}`),
            );
      }),
  },
  ...GUEST_DEVICE_CHECKS,
  ...GUEST_RUN_CHECKS,
];

function isGone(facts: { readonly value: unknown } | { readonly unseen: string } | undefined): boolean {
  return facts !== undefined && 'value' in facts && facts.value === null;
}
