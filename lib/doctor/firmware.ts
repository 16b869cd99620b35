import { type Check, fail, ok, unknown, warn, withSeen } from './check.ts';
import { install } from './remedies.ts';

/** E is an unsigned module, F a forced one (Documentation/admin-guide/tainted-kernels.rst). */
const TAINT_UNSIGNED = 1 << 13;

/** The host's own firmware, and that of guests. */
export const FIRMWARE_CHECKS: readonly Check[] = [
  {
    id: 'firmware.uefi',
    title: 'The host starts by UEFI',
    meaning:
      'On a host that starts by the old BIOS the boot card’s ROM is changed at start (shadowed) and VGA is arbitrated: passing that card mostly needs a ROM file.',
    judge: ({ firmware, functions }) =>
      firmware.uefi
        ? ok('The host was started by UEFI')
        : 'unseen' in functions
          ? unknown(functions.unseen)
          : warn(
              'The host was started by the old BIOS (CSM)',
              'Turn CSM off in the firmware’s setup; the system must be installed for UEFI',
            ),
  },
  {
    id: 'firmware.secure-boot',
    title: 'Secure Boot and modules',
    meaning:
      'Under Secure Boot only signed modules load: vendor-reset, kvmfr and NVIDIA’s need a key of yours (MOK).',
    judge: ({ firmware }) =>
      withSeen(firmware.secureBoot, (on) =>
        withSeen(firmware.taint, (taint) => {
          if (!on) return ok('Secure Boot is off');
          const unsigned = (taint & TAINT_UNSIGNED) !== 0;
          if (unsigned) return ok('Secure Boot is on, and this kernel loads unsigned modules all the same');
          return firmware.signedModulesOnly === true || !['none', null].includes(firmware.lockdown)
            ? warn(
                'Secure Boot is on: modules built here must be signed',
                'Sign them (DKMS does with its key: mokutil --import /var/lib/dkms/mok.pub, then reboot and enrol it), or turn Secure Boot off in the firmware’s setup',
              )
            : ok('Secure Boot is on, and the kernel does not insist on signatures');
        }),
      ),
  },
  {
    id: 'firmware.lockdown',
    title: 'Kernel lockdown',
    meaning:
      'In lockdown the kernel refuses access to device memory from programs, so tools that dump a card’s ROM by /dev/mem or debugfs fail; VFIO works.',
    judge: ({ firmware }) => {
      if (firmware.lockdown === null) return unknown('/sys/kernel/security/lockdown is not there');
      return firmware.lockdown === 'confidentiality'
        ? warn(
            'The kernel is locked down for confidentiality',
            'Take lockdown=confidentiality off the kernel’s command line',
          )
        : ok(
            firmware.lockdown === 'none'
              ? 'The kernel is not locked down'
              : 'The kernel is locked down for integrity, which VFIO does not mind',
          );
    },
  },
  {
    id: 'firmware.ovmf',
    title: 'UEFI firmware for guests',
    meaning:
      'Guests with a graphics card should start by UEFI (OVMF): no VGA arbitration, and the card’s own driver shows the first picture.',
    judge: (checkup) => {
      const { ovmf } = checkup.firmware;
      if (ovmf.length > 0) return ok(`UEFI firmware is there: ${ovmf[0]}`);
      if (checkup.distribution.family === 'other')
        return unknown('nobody knows where this distribution puts it');
      return fail('There is no UEFI firmware for guests', install(checkup, 'ovmf'));
    },
  },
  {
    id: 'firmware.swtpm',
    title: 'A TPM for guests',
    meaning: 'Windows 11 asks for a TPM 2.0; swtpm gives the guest one of its own.',
    judge: (checkup) => {
      if (checkup.firmware.swtpm) return ok('swtpm is installed');
      if (checkup.distribution.family === 'other')
        return unknown('nobody knows where this distribution puts it');
      return checkup.guest?.xml?.tpmEmulator === true
        ? fail('The guest has an emulated TPM and swtpm is not installed', install(checkup, 'swtpm'))
        : warn('swtpm is not installed', install(checkup, 'swtpm'));
    },
  },
];
