import { isVfioDriver } from '../words/vfio-driver.ts';
import { type Check, ok, unknown, warn, withSeen } from './check.ts';
import { functionsOf, namedAll, quotedLines } from './describe.ts';
import { addKernelArguments, addModprobeLines, removeKernelArgument } from './remedies.ts';

/** Sleep and power saving. */
export const POWER_CHECKS: readonly Check[] = [
  {
    id: 'power.sleep',
    title: 'Sleep can be held off',
    meaning:
      'A host that goes to sleep under a guest with a device mostly loses the device; systemd-logind holds sleep off while a guest runs.',
    judge: ({ canInhibitSleep, processes, hasSystemd }) => {
      if (processes.length === 0) return unknown('/proc lists no processes');
      return canInhibitSleep
        ? ok('Sleep is held off while a guest of passqemu runs')
        : warn(
            hasSystemd
              ? 'systemd-inhibit is not there'
              : 'systemd does not run this host: nothing holds off sleep',
            'Turn automatic sleep off in the desktop’s settings (systemctl mask sleep.target suspend.target where systemd runs)',
          );
    },
  },
  {
    id: 'power.d3cold',
    title: 'Passed functions that may lose their power',
    meaning:
      'An idle function on vfio-pci sleeps; some cards do not wake from D3cold ("Unable to power on device, stuck in D3").',
    judge: (checkup) =>
      withSeen(checkup.functions, () => {
        const idle = functionsOf(checkup).filter(
          ({ driver, powerState }) => isVfioDriver(driver) && powerState === 'D3cold',
        );
        return idle.length === 0
          ? ok('No function on a VFIO driver is without power')
          : warn(
              `${namedAll(
                checkup,
                idle.map(({ address }) => address),
              )} on vfio-pci is in D3cold`,
              `${addModprobeLines(checkup, ['options vfio-pci disable_idle_d3=1'])} (at run time the parameter has no effect); if the card is lost already, suspend the host once`,
            );
      }),
  },
  {
    id: 'power.aspm',
    title: 'Power saving of the links',
    meaning:
      'Deep saving of PCI Express links (ASPM powersave, powersupersave) costs latency, and some cards in guests drop off their link.',
    judge: (checkup) => {
      const { aspmPolicy } = checkup;
      if (aspmPolicy === null)
        return unknown('the kernel shows no policy (/sys/module/pcie_aspm/parameters/policy)');
      return /powersave|powersupersave/.test(aspmPolicy)
        ? warn(
            `Links are told to save power (${aspmPolicy})`,
            `At once: echo default > /sys/module/pcie_aspm/parameters/policy (as root); for good: ${addKernelArguments(checkup, 'pcie_aspm.policy=default')}`,
          )
        : ok(`Links: ${aspmPolicy}`);
    },
  },
  {
    id: 'power.link-errors',
    title: 'Errors on the links',
    meaning:
      'Errors of PCI Express links (AER) come from cards that are not seated, risers, or power saving of the link; a passed card’s errors end the guest.',
    judge: (checkup) =>
      withSeen(checkup.log, (lines) => {
        const found = lines.filter((line) =>
          /PCIe Bus Error: severity=|AER: (?:Multiple )?(?:Uncorrect|Correct)/.test(line),
        );
        return found.length === 0
          ? ok('The kernel’s log has no errors of links')
          : warn(
              `The kernel has logged ${found.length} lines about link errors`,
              `Seat the card anew, leave out the riser, set the slot’s speed one generation lower in the firmware’s setup; if it is power saving: ${addKernelArguments(checkup, 'pcie_aspm=off')}`,
              `${quotedLines(found)}.`,
            );
      }),
  },
  {
    id: 'power.port-management',
    title: 'Power management of the ports',
    meaning:
      'pcie_port_pm=off and pcie_aspm=off keep the whole machine awake: good against lost cards, bad for laptops.',
    judge: (checkup) =>
      withSeen(checkup.parameters, (words) => {
        const found = words.find(
          ({ name, value }) => ['pcie_port_pm', 'pcie_aspm'].includes(name) && value === 'off',
        );
        return found === undefined
          ? ok('Ports save power as the kernel sees fit')
          : warn(
              `${found.name}=off keeps every link of the machine awake`,
              `If no card needs it: ${removeKernelArgument(checkup, `${found.name}=off`)}; passqemu keeps passed functions awake by themselves`,
            );
      }),
  },
];
