import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  parseDevices,
  parseOptions,
  parseProperties,
  parseVersion,
  parseWords,
  readQemuCapabilities,
} from '../../../lib/host/qemu-capabilities.ts';
import { FakeHost } from '../../fake/fake-host.ts';

const QEMU = '/usr/bin/qemu-system-x86_64';
const DEVICES =
  'Network devices:\nname "virtio-net-pci", bus PCI, alias "virtio-net"\nname "e1000e", bus PCI, desc "a card"\n';

test('parseVersion() reads the version of Debian, of a release and of none', () => {
  assert.deepEqual(
    ['QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)', 'QEMU emulator version 10.1', 'no'].map(
      parseVersion,
    ),
    [[7, 2, 22], [10, 1, 0], null],
  );
});

test('parseDevices() takes names and aliases', () => {
  assert.deepEqual(parseDevices(DEVICES), ['virtio-net-pci', 'virtio-net', 'e1000e']);
});

test('parseWords() takes every line of a list and no title', () => {
  assert.deepEqual(
    parseWords('List of user creatable objects:\n  iothread\n  rng-random\n\nkvm\ntcg  - slow\n'),
    ['iothread', 'rng-random', 'kvm', 'tcg'],
  );
});

test('parseProperties() takes the names before =', () => {
  assert.deepEqual(
    parseProperties('vfio-pci options:\n  addr=<int32>  - Slot\n  x-vga=<bool>\nhpet=<bool>\n'),
    ['addr', 'x-vga', 'hpet'],
  );
});

test('parseOptions() tells whether -run-with can change the user', () => {
  assert.deepEqual(parseOptions('-S  freeze\n-run-with [async-teardown=on|off]\n  more\n-x y\n'), [
    '-S',
    '-run-with',
    '-x',
  ]);
  assert.deepEqual(parseOptions('-run-with [chroot=dir][,user=username|uid:gid]\n-x\n'), [
    '-run-with',
    '-x',
    '-run-with user',
  ]);
});

function machine(): { host: FakeHost; asked: string[][] } {
  const asked: string[][] = [];
  const host = new FakeHost().put(QEMU, 'binary', 0o755);
  host.onRun(QEMU, (argv) => {
    asked.push([...argv.slice(1)]);
    if (argv[1] === '--version') return { stdout: 'QEMU emulator version 7.2.22 (Debian)' };
    if (argv[1] === '-device' && argv[2] === 'help') return { stdout: DEVICES };
    return argv[2] === 'pc,help' ? { status: 1, stdout: 'hpet=<bool>' } : { stdout: '' };
  });
  return { host, asked };
}

test('readQemuCapabilities() asks once and keeps the answers for that binary', async () => {
  const { host, asked } = machine();
  const first = await readQemuCapabilities(host, null, '/var/cache/passqemu');
  const questions = asked.length;
  assert.deepEqual(
    [first.path, first.version, first.devices.has('virtio-net'), first.machineProperties.get('i440fx')],
    [QEMU, [7, 2, 22], true, new Set()],
  );
  assert.ok(questions > 5);
  assert.deepEqual(await readQemuCapabilities(host, null, '/var/cache/passqemu'), first);
  assert.equal(asked.length, questions, 'the second time nothing is asked');
  host.put(QEMU, 'another binary', 0o755);
  await readQemuCapabilities(host, null, '/var/cache/passqemu');
  assert.equal(asked.length, 2 * questions, 'another binary is asked');
});

test('readQemuCapabilities() does not believe what others could have written, nor what is torn', async () => {
  for (const spoil of [
    (host: FakeHost, file: string) => host.put(file, host.peek(file)!, 0o666),
    (host: FakeHost, file: string) => host.put(file, host.peek(file)!.slice(0, 40), 0o600),
  ]) {
    const { host, asked } = machine();
    await readQemuCapabilities(host, null, '/cache');
    const questions = asked.length;
    spoil(host, `/cache/${host.list('/cache')[0]}`);
    await readQemuCapabilities(host, null, '/cache');
    assert.equal(asked.length, 2 * questions);
  }
});

test('readQemuCapabilities() says that there is no QEMU, or none by that name', async () => {
  const host = new FakeHost();
  await assert.rejects(
    readQemuCapabilities(host, null, null),
    /^HostError: Cannot find QEMU: there is no qemu-system-x86_64$/,
  );
  await assert.rejects(
    readQemuCapabilities(host, '/opt/qemu', null),
    /^HostError: Cannot find QEMU: there is no \/opt\/qemu$/,
  );
});
