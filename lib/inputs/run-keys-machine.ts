import { choice, plain, size, whole, yesNo } from './run-key.ts';

const MIB = 1024;
const TIB = 1024 ** 3;

/** Keys of the machine itself, its firmware, its memory nodes, and of the threads that run it. */
export const RUN_MACHINE_KEYS = {
  machine: {
    type: choice(['q35', 'i440fx'], 'q35', 'The board: q35 has PCI Express, i440fx is for old systems.'),
    os: choice(
      ['linux', 'windows', 'other'],
      'linux',
      'What runs in it; decides the defaults of hyperv and rtc.',
    ),
    accel: choice(['kvm', 'tcg'], 'kvm', 'Who runs its instructions: the processor, or QEMU itself (slow).'),
    memory: size(MIB, 64 * TIB, 'Its memory; else the size of [memory], else 4G.'),
    'memory-backend': choice(
      ['memfd', 'file'],
      'memfd',
      'Where huge pages come from: anonymous ones, or files in the hugetlbfs of memory-path.',
    ),
    'memory-path': plain(
      'path',
      'The hugetlbfs for memory-backend = file; else the one mounted with that page size.',
    ),
    'memory-share': yesNo(
      'no',
      'Whether other processes may map it (vhost-user programs); with [share …] and with huge pages without a mount always.',
    ),
    'memory-lock': yesNo('no', 'Whether all of QEMU is locked into memory.'),
    prealloc: yesNo(
      null,
      'Whether all memory is touched before the guest starts; by default with huge pages or locked.',
    ),
    'prealloc-threads': whole(1, 256, null, 'How many threads touch it; else one for each vCPU, 16 at most.'),
    vcpus: whole(
      1,
      4096,
      null,
      'How many vCPUs; else the product of the next four, else one for each of pins, else 2.',
    ),
    sockets: whole(1, 64, null, 'Sockets; else 1.'),
    dies: whole(1, 64, null, 'Dies in a socket; else 1.'),
    cores: whole(1, 1024, null, 'Cores in a die; else what is left of vcpus.'),
    threads: whole(1, 8, null, 'Threads in a core; else 1.'),
    cpu: plain('text', 'The CPU model; else host, or max with tcg.'),
    'cpu-flags': plain('words', 'Features on top of it: +name, -name or name=value.'),
    'hide-kvm': yesNo(
      'no',
      'Whether the guest is not told that it runs on KVM (kvm=off and no hypervisor bit for its drivers).',
    ),
    hyperv: yesNo(
      null,
      'Whether Windows finds the set of Hyper-V enlightenments that KVM has; by default with os = windows.',
    ),
    'hv-vendor-id': plain('text', 'The maker that Hyper-V claims, 12 letters at most.'),
    'phys-bits': whole(32, 64, null, 'The most address bits that the guest may use (host-phys-bits-limit).'),
    iommufd: choice(
      ['no', 'yes', 'auto'],
      'no',
      'Whether functions are given by /dev/iommu instead of the VFIO container; auto where QEMU and the kernel have it.',
    ),
    uuid: plain('uuid', 'Its UUID; else one made from its name, always the same.'),
    rtc: choice(['utc', 'localtime'], null, 'What its clock shows; localtime by default with os = windows.'),
    'boot-menu': yesNo('no', 'Whether the firmware shows its boot menu.'),
    kernel: plain('path', 'A Linux kernel to start without a boot loader.'),
    initrd: plain('path', 'Its initial RAM disk.'),
    'kernel-arguments': plain('text', 'Its command line.'),
    suspend: yesNo(
      'no',
      'Whether the guest may sleep (S3, S4); devices that were passed through rarely wake up again.',
    ),
    'on-reboot': choice(['reset', 'shutdown'], 'reset', 'What a reboot of the guest does.'),
    'stop-timeout': whole(
      1,
      86_400,
      '60',
      'Seconds that the guest may take to power down when passqemu stop or systemd ends it; then QEMU is ended.',
    ),
    rng: yesNo('yes', 'Whether it has a virtio random number generator.'),
    balloon: yesNo(
      'no',
      'Whether it has a virtio balloon; of no use to a guest whose memory is pinned by a passed function.',
    ),
    usb: yesNo('yes', 'Whether it has an xHCI controller.'),
    user: plain('text', 'The user that QEMU runs as; else who starts it.'),
    sandbox: yesNo('yes', 'Whether QEMU gives up system calls that it does not need.'),
    qemu: plain('path', 'The QEMU to run; else qemu-system-x86_64 where distributions put it.'),
  },
  smbios: {
    host: yesNo('no', 'Whether all that is not said here is what this host has, for licences bound to it.'),
    manufacturer: plain('text', 'The system’s manufacturer.'),
    product: plain('text', 'Its name.'),
    version: plain('text', 'Its version.'),
    serial: plain('text', 'Its serial number.'),
    sku: plain('text', 'Its SKU.'),
    family: plain('text', 'Its family.'),
    'bios-vendor': plain('text', 'Who made the BIOS.'),
    'bios-version': plain('text', 'The BIOS’s version.'),
    'bios-date': plain('text', 'Its date.'),
    'board-manufacturer': plain('text', 'Who made the board.'),
    'board-product': plain('text', 'The board’s name.'),
    'board-version': plain('text', 'The board’s version.'),
    'board-serial': plain('text', 'The board’s serial number.'),
  },
  firmware: {
    type: choice(['uefi', 'bios'], 'uefi', 'UEFI (OVMF) or BIOS (SeaBIOS).'),
    'secure-boot': yesNo('no', 'Whether the firmware must have Secure Boot.'),
    'enrolled-keys': yesNo(
      null,
      'Whether the usual keys must be enrolled already; by default with secure-boot.',
    ),
    smm: yesNo(
      null,
      'Whether the guest has System Management Mode; by default where the firmware asks for it.',
    ),
    code: plain('path', 'The firmware image, in place of the one that is found.'),
    template: plain('path', 'Its template of variables, copied once for the guest; needed with code.'),
    format: choice(
      ['raw', 'qcow2'],
      null,
      'The format of code and template; else by the ending of its name.',
    ),
    vars: plain('path', 'The guest’s own variables; else a file of its name in /var/lib/passqemu.'),
  },
  numa: {
    vcpus: plain('cpus', 'The vCPUs of this node.'),
    memory: size(MIB, 64 * TIB, 'Its memory.'),
    'host-nodes': plain('cpus', 'The nodes of the host that its memory is bound to.'),
  },
  cpu: {
    pins: plain(
      'pins',
      'The host CPUs of vCPU 0, 1, 2 … in this order, with spaces between. Together they are the guest’s CPUs where guest is not said.',
    ),
    emulator: plain(
      'cpus',
      'The host CPUs of all other threads of QEMU; else those that are not the guest’s.',
    ),
    iothreads: plain('named-pins', 'The host CPUs of each iothread that disks name.'),
    'real-time': choice(
      ['no', 'fifo', 'round-robin'],
      'no',
      'Whether vCPUs run before all normal tasks of the host. One that spins takes its CPU away from them.',
    ),
    'real-time-priority': whole(1, 99, '1', 'How urgent they are among real-time tasks.'),
    'whole-process': plain(
      'cpus',
      'The simple form of many guides: all of QEMU on these CPUs, round-robin real time, no threads placed (chrt -r 1 taskset -c CPUS).',
    ),
  },
} as const;
