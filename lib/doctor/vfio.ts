import { pciKind } from '../words/pci-class.ts';
import { type Check, fail, ok, unknown, warn, withSeen } from './check.ts';
import { functionsOf, NO_NODES, namedAll } from './describe.ts';
import { install } from './remedies.ts';
import { VFIO_BOOT_CHECKS } from './vfio-boot.ts';

/** Whether functions get to vfio-pci, and only those that should. */
export const VFIO_CHECKS: readonly Check[] = [
  {
    id: 'vfio.modules',
    title: 'Modules vfio-pci and vfio_iommu_type1',
    meaning: 'vfio-pci hands functions to QEMU, vfio_iommu_type1 maps the guest’s memory for them.',
    judge: (checkup) => {
      const states = ['vfio_pci', 'vfio_iommu_type1'].map(
        (name) => [name, checkup.virtualization.modules.get(name) ?? 'unknown'] as const,
      );
      const absent = states.filter(([, state]) => state === 'absent').map(([name]) => name);
      if (absent.length > 0) {
        return fail(
          `The running kernel has no ${absent.join(' and no ')}`,
          `${install(checkup, 'kernel-modules')}; after an update of the kernel, reboot`,
        );
      }
      if (states.some(([, state]) => state === 'unknown'))
        return unknown('there is no list of the kernel’s modules');
      return ok(
        states
          .map(([name, state]) => `${name} is ${state === 'loaded' ? 'loaded' : 'there to be loaded'}`)
          .join(', '),
      );
    },
  },
  {
    id: 'vfio.device-node',
    title: '/dev/vfio/vfio',
    meaning: 'QEMU opens this node for everything that VFIO does; the kernel makes it with mode 0666.',
    judge: ({ vfioNode, virtualization, lacksNodes }) => {
      const state = virtualization.modules.get('vfio_pci') ?? 'unknown';
      if (vfioNode === null && lacksNodes) return unknown(NO_NODES);
      if (vfioNode === null) {
        if (state === 'loaded')
          return fail(
            '/dev/vfio/vfio is not there although vfio-pci is loaded',
            'Mount devtmpfs on /dev, or make the node anew: udevadm trigger --name-match=vfio/vfio',
          );
        return state === 'unknown'
          ? unknown('there is no list of the kernel’s modules')
          : ok('vfio-pci is not loaded yet, so there is no node');
      }
      return vfioNode.kind === 'character' && (vfioNode.mode & 0o666) === 0o666
        ? ok('/dev/vfio/vfio is open to all, as it should be')
        : warn(
            '/dev/vfio/vfio is not open to all',
            'Take out the udev rule that changes it, then udevadm trigger --name-match=vfio/vfio; guests that libvirt runs as root do not need it',
          );
    },
  },
  {
    id: 'vfio.leftover-overrides',
    title: 'Left over driver overrides',
    meaning:
      'An override stays until reboot or until it is cleared, and decides which driver the function gets next.',
    judge: (checkup) =>
      withSeen(checkup.functions, () => {
        if (!checkup.overridesRead)
          return unknown('a write to the PCI bus hangs, and asking for overrides would hang too');
        const odd = functionsOf(checkup).filter(
          ({ driverOverride, driver }) =>
            driverOverride !== '' && driver !== driverOverride && !/^(?:none|\(none\))$/.test(driverOverride),
        );
        return odd.length === 0
          ? ok('No override waits for another driver than the one in use')
          : warn(
              odd
                .map(
                  ({ address, driverOverride, driver }) =>
                    `${address} is meant for ${driverOverride} and is on ${driver ?? 'no driver'}`,
                )
                .join(', '),
              odd
                .map(({ address }) => `echo > /sys/bus/pci/devices/${address}/driver_override`)
                .join(' && ')
                .concat(' (as root; passqemu recover first, if a guest of passqemu had it)'),
            );
      }),
  },
  {
    id: 'vfio.driverless',
    title: 'Functions without a driver',
    meaning:
      'A graphics card, NVMe drive, network card or USB controller without driver was unbound and forgotten, or its driver is missing.',
    judge: (checkup) =>
      withSeen(checkup.functions, () => {
        const bare = functionsOf(checkup).filter(
          ({ driver, classCode, virtualFunctions }) =>
            driver === null &&
            virtualFunctions.length === 0 &&
            ['display', 'nvme', 'network', 'usb'].includes(pciKind(classCode)),
        );
        return bare.length === 0
          ? ok('Every graphics card, NVMe drive, network card and USB controller has a driver')
          : warn(
              `${namedAll(
                checkup,
                bare.map(({ address }) => address),
              )} ${bare.length === 1 ? 'has' : 'have'} no driver`,
              `If the host should have it back: echo ${bare[0]!.address} > /sys/bus/pci/drivers_probe (as root)`,
            );
      }),
  },
  {
    id: 'vfio.physical-functions',
    title: 'Virtual functions of passed cards',
    meaning:
      'vfio-pci refuses a physical function whose virtual functions are on ("Cannot bind to PF with SR-IOV enabled").',
    judge: (checkup) =>
      withSeen(checkup.functions, () => {
        const given = new Set(checkup.guest?.domain?.functions.map(({ address }) => address) ?? []);
        const wrong = functionsOf(checkup).filter(
          ({ address, isVfio, sriov, driverOverride }) =>
            (sriov?.enabled ?? 0) > 0 && (isVfio || given.has(address) || driverOverride === 'vfio-pci'),
        );
        return wrong.length === 0
          ? ok('No card that is to be passed has virtual functions on')
          : fail(
              `${namedAll(
                checkup,
                wrong.map(({ address }) => address),
              )} has virtual functions on`,
              `Give the guest one of them, or end them: passqemu sriov ${wrong[0]!.address} 0`,
            );
      }),
  },
  ...VFIO_BOOT_CHECKS,
];
