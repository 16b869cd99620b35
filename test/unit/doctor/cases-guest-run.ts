import { addProcess } from '../../fake/healthy-machine.ts';
import { both, type Case, check, drop, noXml, put, type Scene } from './case.ts';

const QEMU = '/usr/bin/qemu-system-x86_64';
const DISK = '/var/lib/libvirt/images/win11.qcow2';
const hang = ({ host }: Scene): void => addProcess(host, 777, 'tee', { state: 'D' });

/** The guest is one that `run` starts, with this profile, beside a QEMU that tells its version only. */
function run(profile: string, ...changes: readonly ((scene: Scene) => void)[]): (scene: Scene) => void {
  const put1 = put('/etc/passqemu/win11.ini', profile);
  const qemu = ({ host }: Scene): void =>
    void host.onRun(QEMU, (argv) => ({
      stdout: argv[1] === '--version' ? 'QEMU emulator version 10.0.2\n' : '',
    }));
  return both(noXml, put1, qemu, ...changes);
}

const MACHINE = '[machine]\nmemory = 1G\n';

function one(id: string, spoil: Case['spoil'], remedy: string): Case {
  return check(id, 'fail', spoil, remedy, both(noXml, hang), 'a write to the PCI bus hangs');
}

/** What a QEMU says that has what a plain guest needs, by the option that it is asked about. */
const HELP: Readonly<Record<string, string>> = {
  '-device': [
    'virtio-serial-pci',
    'virtserialport',
    'virtio-rng-pci',
    'pcie-root-port',
    'qemu-xhci',
    'usb-tablet',
    'virtio-blk-pci',
    'virtio-net-pci',
    'vfio-pci',
    'VGA',
  ]
    .map((name) => `name "${name}", bus PCI`)
    .join('\n'),
  '-object': 'List of user creatable objects:\n  memory-backend-ram\n  rng-random\n  iothread\n',
  '-accel': 'Accelerators supported in QEMU binary:\ntcg\nkvm\n',
  '-netdev': 'Available netdev backend types:\nuser\ntap\n',
  '-display': 'Available display backend types:\nnone\n',
};

/** A guest that `run` can start: a disk, a network with a port of the host, firmware, and a QEMU that has all of it. */
export const HEALTHY_RUN_GUEST = run(
  `${MACHINE}[disk d]\nsource = ${DISK}\n[network n]\nforward = tcp:2222:22\n`,
  ({ host }) => {
    host.putFolder('/sys/class/misc/kvm');
    host.onRun(QEMU, ([, option = '']) => ({
      stdout: option === '--version' ? 'QEMU emulator version 10.0.2\n' : (HELP[option] ?? ''),
    }));
  },
);

/** A guest without libvirt. */
export const GUEST_RUN_CASES: readonly Case[] = [
  one('guest.run-qemu', run(MACHINE, drop(QEMU)), 'Install qemu-system-x86'),
  one('guest.run-kvm', run(MACHINE, drop('/dev/kvm')), 'accel = tcg'),
  one(
    'guest.run-files',
    run(`${MACHINE}[disk d]\nsource = /nowhere.qcow2\n`),
    'correct the path in the profile',
  ),
  one(
    'guest.run-disks',
    run(
      `${MACHINE}[disk d]\nsource = ${DISK}\n[disk e]\nsource = /srv/same.qcow2\n`,
      ({ host }) => void host.putLink('/srv/same.qcow2', DISK),
    ),
    'Two drives of one disk destroy it',
  ),
  one('guest.run-firmware', run(MACHINE, drop('/usr/share/OVMF')), 'ovmf'),
  one('guest.run-devices', run(`${MACHINE}[devices]\nnic = 0000:09:00.0\n`), 'passqemu devices lists them'),
  one(
    'guest.run-networks',
    run(`${MACHINE}[network n]\ntype = bridge\nbridge = br7\n`),
    'ip link shows which there are',
  ),
  one(
    'guest.run-ports',
    run(
      `${MACHINE}[network n]\nforward = tcp:2222:22\n`,
      put('/proc/net/tcp', 'sl local\n 0: 0100007F:08AE 00000000:0000 0A 0\n'),
    ),
    'Choose another port of the host',
  ),
  one('guest.run-programs', run(`${MACHINE}[tpm]\ntype = swtpm\n`), 'swtpm'),
  one('guest.run-start', run(`${MACHINE}user = nobody9\n`), 'Make it, or name another one'),
];
