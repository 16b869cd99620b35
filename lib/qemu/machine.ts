import { option } from './option.ts';
import type { RunBuild } from './run-build.ts';

/** What the machine needs of its firmware and memory. */
export interface MachineParts {
  readonly smm: boolean;
  readonly hasFlash: boolean;
  /** The only memory object, where there are no nodes. */
  readonly memoryBackend: string | null;
}

/** Name, board, accelerator, clock and how the guest ends. */
export function addMachine(build: RunBuild, uuid: string, parts: MachineParts): void {
  const { run, qemu, picture } = build;
  const { machine } = run;
  const known = qemu.machineProperties.get(machine.type) ?? new Set();
  checkAccelerator(build);
  build.add('-name', option('', { guest: run.guest, 'debug-threads': true }));
  build.add('-uuid', uuid, '-no-user-config', '-nodefaults');
  build.add(
    '-machine',
    option(machine.type === 'q35' ? 'q35' : 'pc', {
      usb: false,
      vmport: false,
      // Nobody needs it where there is an invariant TSC, and Windows is slow with it
      hpet: known.has('hpet') ? false : null,
      smm: parts.smm,
      'dump-guest-core': false,
      'memory-backend': parts.memoryBackend,
      pflash0: parts.hasFlash ? 'firmware-code' : null,
      pflash1: parts.hasFlash ? 'firmware-vars' : null,
    }),
  );
  build.add('-accel', machine.accel === 'kvm' ? 'kvm' : 'tcg,thread=multi');
  if (parts.smm && parts.hasFlash) build.add('-global', 'driver=cfi.pflash01,property=secure,value=on');
  const isWindows = machine.os === 'windows';
  const rtc = machine.rtc ?? (isWindows ? 'localtime' : 'utc');
  build.add('-rtc', option('', { base: rtc, driftfix: isWindows ? 'slew' : null }));
  if (machine.accel === 'kvm' && isWindows) build.add('-global', 'kvm-pit.lost_tick_policy=delay');
  if (!machine.suspend) {
    const bridge = build.isQ35 ? 'ICH9-LPC' : 'PIIX4_PM';
    build.add('-global', `${bridge}.disable_s3=1`, '-global', `${bridge}.disable_s4=1`);
  }
  build.add('-boot', option('', { menu: machine.bootMenu, strict: true }));
  if (machine.onReboot === 'shutdown') build.add('-no-reboot');
  if (machine.memoryLock) build.add('-overcommit', 'mem-lock=on');
  addPrivileges(build, picture.user?.name ?? null);
  addKernel(build);
}

function checkAccelerator(build: RunBuild): void {
  const { run, picture, qemu } = build;
  if (run.machine.accel === 'tcg') return;
  if (!qemu.accelerators.has('kvm')) build.refuseLack('KVM');
  if (picture.kvm === 'missing') {
    build.refuse(
      'no-kvm',
      `Cannot start ${run.guest}: the kernel has no KVM, the processor’s virtualization must be on`,
      'Switch VT-x or AMD-V (SVM) on in the firmware’s set-up and load kvm_intel or kvm_amd; accel = tcg runs without, slowly',
    );
  }
  if (picture.kvm === 'denied') {
    build.refuse(
      'kvm-denied',
      `Cannot start ${run.guest}: this user may not open /dev/kvm`,
      'Add the user to the group kvm, or run passqemu as root',
    );
  }
}

/** -run-with user= came with 9.1, when -runas began to go. */
function addPrivileges(build: RunBuild, user: string | null): void {
  const { run, qemu, picture } = build;
  if (run.machine.user !== null && picture.user === null) {
    build.refuse(
      'no-user',
      `Cannot run QEMU as ${run.machine.user}: there is no such user`,
      'Make it, or name another one',
    );
  }
  if (user !== null && picture.isRoot) {
    if (qemu.options.has('-run-with user')) build.add('-run-with', option('', { user }));
    else build.add('-runas', user);
  }
  if (!run.machine.sandbox) return;
  const helps = run.networks.some(({ type }) => type === 'bridge');
  if (helps && !picture.isRoot) {
    // What is started in the sandbox of an ordinary user never gains privileges, and the helper lives by them
    build.notes.push(
      'QEMU runs without its sandbox: the helper that connects the bridge could not work in it',
    );
    return;
  }
  build.add(
    '-sandbox',
    option('on', {
      obsolete: 'deny',
      // "deny" and "children" both kill QEMU at the very call by which it becomes another user (seen with 7.2); the launcher
      // takes new privileges away in another way then
      elevateprivileges: user !== null && picture.isRoot ? 'allow' : 'deny',
      spawn: helps ? 'allow' : 'deny',
      resourcecontrol: 'deny',
    }),
  );
}

function addKernel(build: RunBuild): void {
  const { kernel, initrd, kernelArguments } = build.run.machine;
  if (kernel === null) return;
  build.needFile(kernel, 'the kernel');
  build.add('-kernel', kernel);
  if (initrd !== null) build.needFile(initrd, 'the initrd');
  if (initrd !== null) build.add('-initrd', initrd);
  if (kernelArguments !== null) build.add('-append', kernelArguments);
}
