import assert from 'node:assert/strict';
import test from 'node:test';
import { readFindings } from '../../../launchers/doctor-findings.ts';
import { recordMachine } from '../../../launchers/snapshot.ts';
import { RecordedHost } from '../../../lib/host/recorded-host.ts';
import { walkTree } from '../../../lib/host/recorded-tree.ts';
import { packSnapshot, unpackSnapshot } from '../../../lib/host/snapshot-archive.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { healthyMachine, type PickyHost, RELEASE } from '../../fake/healthy-machine.ts';

const PLACES = { configDir: '/etc/passqemu', stateDir: '/run/passqemu' };

/** A machine with something to find, and with secrets beside it. */
function machine(): PickyHost {
  const host = healthyMachine();
  host.put('/etc/libvirt/qemu.conf', 'vnc_password = "hunter2"\ncgroup_device_acl = [ "/dev/kvm" ]\n');
  host.put(
    '/etc/libvirt/hooks/qemu',
    '#!/bin/sh\ntoken=hunter2\nvirsh nodedev-detach pci_0000_01_00_0\n',
    0o755,
  );
  host.put('/etc/modprobe.d/vfio.conf', 'options vfio-pci ids=8086:10d3\n');
  host.put(`/boot/initrd.img-${RELEASE}`, 'hunter2');
  host.put('/sys/kernel/mm/ksm/run', '1\n');
  return host;
}

function globalsOf(host: PickyHost) {
  const nothing = () => {};
  const flags = { stateDirGiven: false, json: false, quiet: false, verbose: false, colour: false };
  return { host, ...PLACES, ...flags, out: nothing, err: nothing };
}

test('doctor says of a snapshot what it said of the machine, but where a record cannot tell', async () => {
  const host = machine();
  const live = await readFindings({ host, ...PLACES }, null, true);
  const tree = await recordMachine(globalsOf(host));
  const recorded = new RecordedHost(
    'x.tar.gz',
    await unpackSnapshot('x.tar.gz', await packSnapshot(tree)),
    new FakeHost(),
  );
  const found = await readFindings({ host: recorded, ...PLACES }, null, true);
  const different = found.filter((finding, index) => JSON.stringify(finding) !== JSON.stringify(live[index]));
  assert.deepEqual(
    different.map(({ id, status, summary }) => [id, status, summary.replace(/^Could not look: /, '')]),
    [
      ['vfio.initramfs', 'unknown', 'a recorded machine does not have its initramfs'],
      ['hook.seen', 'unknown', 'a recorded machine does not keep when its hooks have changed'],
    ],
  );
});

test('what an ordinary user could not record is told as that', async () => {
  const host = machine().deny('/dev/kmsg', 'EPERM').deny('/etc/libvirt/qemu.conf');
  const tree = await recordMachine(globalsOf(host));
  const recorded = new RecordedHost(
    'x.tar.gz',
    await unpackSnapshot('x.tar.gz', await packSnapshot(tree)),
    new FakeHost(),
  );
  const found = await readFindings({ host: recorded, ...PLACES }, null, true);
  const conf = found.find(({ id }) => id === 'libvirt.device-acl');
  assert.deepEqual([conf?.status, conf?.remedy], ['unknown', 'Take the snapshot anew as root']);
  assert.equal(found.find(({ id }) => id === 'iommu.faults')?.status, 'unknown');
});

test('a snapshot has no passwords of qemu.conf, nothing else of hooks than what they do, and no initramfs', async () => {
  const tree = await recordMachine(globalsOf(machine()));
  for (const { path, node } of walkTree(tree.top)) {
    if (node.kind === 'file') assert.ok(node.bytes?.includes('hunter2') !== true, path);
  }
});
