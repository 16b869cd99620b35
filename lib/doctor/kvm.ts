import { seenOr } from '../words/seen.ts';
import { type Check, fail, ok, unknown, warn, withSeen } from './check.ts';
import { NO_NODES, quotedLines } from './describe.ts';
import { install, setAtBoot } from './remedies.ts';

/** KVM and what the kernel does for guests beside it. */
export const KVM_CHECKS: readonly Check[] = [
  {
    id: 'kvm.device',
    title: '/dev/kvm',
    meaning:
      'QEMU runs guests at the processor’s speed through this node; it appears when kvm_intel or kvm_amd is loaded.',
    judge: (checkup) => {
      const { kvmNode, modules } = checkup.virtualization;
      const vendor = seenOr(checkup.processor, null)?.vendor;
      if (kvmNode !== null) {
        return (kvmNode.mode & 0o060) === 0o060 || (kvmNode.mode & 0o006) === 0o006
          ? ok('/dev/kvm is there')
          : warn(
              '/dev/kvm is for root only',
              'udevadm control --reload && udevadm trigger --name-match=kvm (the rule gives it to the group kvm, mode 0660)',
            );
      }
      if (checkup.lacksNodes) return unknown(NO_NODES);
      const module = vendor === 'amd' ? 'kvm_amd' : 'kvm_intel';
      const state = modules.get(module) ?? 'unknown';
      if (state === 'unknown') return unknown('there is no /dev/kvm and no list of the kernel’s modules');
      return fail(
        '/dev/kvm is not there',
        state === 'absent'
          ? install(checkup, 'kernel-modules')
          : `modprobe ${module}; if it refuses, turn virtualization on in the firmware’s setup (see processor.virtualization)`,
      );
    },
  },
  {
    id: 'kvm.nested',
    title: 'Nested virtualization',
    meaning:
      'Hyper-V, WSL 2, core isolation and emulators inside the guest need it; guests without them do not.',
    judge: (checkup) => {
      const { nested } = checkup.virtualization;
      if (nested === null) return unknown('neither kvm_intel nor kvm_amd is loaded');
      const features = checkup.guest?.xml?.cpuFeatures;
      const wanted = ['vmx', 'svm'].filter((name) =>
        ['require', 'force'].includes(features?.get(name) ?? ''),
      );
      if (nested) return ok('Guests can be hosts themselves');
      const module = seenOr(checkup.processor, null)?.vendor === 'amd' ? 'kvm_amd' : 'kvm_intel';
      return wanted.length > 0
        ? fail(
            `The guest requires ${wanted.join(', ')} and nested virtualization is off`,
            `${setAtBoot(checkup, module, 'nested=1')}, then reboot`,
          )
        : ok('Nested virtualization is off, and no guest asked about needs it');
    },
  },
  {
    id: 'kvm.ignore-msrs',
    title: 'Unknown model specific registers',
    meaning:
      'Windows, macOS and some drivers read registers that KVM does not have; without ignore_msrs the guest then crashes.',
    judge: (checkup) => {
      const { ignoreMsrs, reportIgnoredMsrs } = checkup.virtualization;
      if (ignoreMsrs === null) return unknown('the module kvm is not loaded');
      const odd = seenOr(checkup.log, []).filter((line) =>
        /kvm.*(?:unhandled (?:rd|wr)msr|ignored (?:rd|wr)msr)/i.test(line),
      );
      if (!ignoreMsrs && odd.some((line) => /unhandled/i.test(line))) {
        return warn(
          'A guest has asked for registers that KVM does not have',
          `${setAtBoot(checkup, 'kvm', 'ignore_msrs=1 report_ignored_msrs=0')}; at once: echo 1 > /sys/module/kvm/parameters/ignore_msrs (as root)`,
          `${quotedLines(odd)}.`,
        );
      }
      if (ignoreMsrs && reportIgnoredMsrs === true && odd.length > 0) {
        return warn(
          'Ignored registers fill the kernel’s log',
          `${setAtBoot(checkup, 'kvm', 'report_ignored_msrs=0')}; at once: echo 0 > /sys/module/kvm/parameters/report_ignored_msrs (as root)`,
        );
      }
      return ok(
        ignoreMsrs
          ? 'KVM ignores registers that it does not have'
          : 'No guest has asked for a register that KVM does not have',
      );
    },
  },
  {
    id: 'kvm.clocksource',
    title: 'Clock of the host',
    meaning:
      'Guests read the time from the processor’s counter (TSC) only if the host trusts it; else each look at the clock leaves the guest, and games stutter.',
    judge: (checkup) => {
      const { clocksource } = checkup.virtualization;
      if (clocksource === null) return unknown('/sys/devices/system/clocksource does not tell');
      if (['tsc', 'arch_sys_counter', 'kvm-clock', 'hyperv_clocksource_tsc_page'].includes(clocksource))
        return ok(`The host’s clock is ${clocksource}`);
      return warn(
        `The host’s clock is ${clocksource}, not the processor’s counter`,
        'The kernel’s log says why (journalctl -k -g tsc); update the firmware, turn off overclocking by base clock, and only if the counter is known to be good: tsc=reliable on the kernel’s command line',
      );
    },
  },
  {
    id: 'kvm.helper-modules',
    title: 'Modules for fast devices',
    meaning: 'vhost_net and tun carry a guest’s virtio network; without them it is slow, or there is none.',
    judge: (checkup) => {
      const states = ['vhost_net', 'tun'].map(
        (name) => [name, checkup.virtualization.modules.get(name) ?? 'unknown'] as const,
      );
      if (states.some(([, state]) => state === 'unknown'))
        return unknown('there is no list of the kernel’s modules');
      const absent = states.filter(([, state]) => state === 'absent').map(([name]) => name);
      return absent.length === 0
        ? ok('vhost_net and tun are there')
        : warn(`The running kernel has no ${absent.join(' and no ')}`, install(checkup, 'kernel-modules'));
    },
  },
  {
    id: 'kvm.log',
    title: 'KVM’s complaints',
    meaning:
      'KVM says in the kernel’s log when firmware has it turned off or another hypervisor (VirtualBox, VMware) uses the processor.',
    judge: ({ log }) =>
      withSeen(log, (lines) => {
        const found = lines.filter((line) =>
          /kvm.*(?:disabled by bios|VMX not enabled|SVM disabled|support for virtualization.*not|already hardware virtualization)/i.test(
            line,
          ),
        );
        return found.length === 0
          ? ok('KVM has nothing to complain of')
          : fail(
              'KVM cannot use the processor',
              'Turn on SVM Mode or VT-x in the firmware’s setup; stop other hypervisors (modprobe -r vboxdrv, vmmon)',
              `${quotedLines(found)}.`,
            );
      }),
  },
];
