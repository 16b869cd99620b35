import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDevicesReport } from '../../../launchers/devices-report.ts';
import type { Globals } from '../../../launchers/globals.ts';
import { recordMachine } from '../../../launchers/snapshot.ts';
import { readTopologyReport } from '../../../launchers/topology-report.ts';
import type { Host } from '../../../lib/host/host.ts';
import { RecordedHost } from '../../../lib/host/recorded-host.ts';
import { walkTree } from '../../../lib/host/recorded-tree.ts';
import { packSnapshot, unpackSnapshot } from '../../../lib/host/snapshot-archive.ts';
import { putMounts } from '../../fake/device-model.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { labMachine } from '../../fake/lab-machine.ts';
import { planSimpledrm, simpledrmMachine } from '../../fake/simpledrm-machine.ts';
import { planOn } from '../plan/plan-on.ts';

function globalsOf(host: Host): Globals {
  const nothing = () => {};
  const places = { configDir: '/etc/passqemu', stateDir: '/run/passqemu', stateDirGiven: false };
  return {
    host,
    ...places,
    json: false,
    quiet: false,
    verbose: false,
    colour: false,
    out: nothing,
    err: nothing,
  };
}

async function recordedOf(host: FakeHost): Promise<RecordedHost> {
  const packed = await packSnapshot(await recordMachine(globalsOf(host)));
  return new RecordedHost('x.tar.gz', await unpackSnapshot('x.tar.gz', packed), new FakeHost());
}

function machine(): FakeHost {
  const host = labMachine();
  putMounts(host, '259:0 / /srv ext4 /dev/nvme0n1', '8:0 / /media/anna/stick vfat /dev/sda');
  host.put('/proc/net/route', 'Iface\nenp1s0\t00000000\t0108090A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n');
  host.put('/proc/sys/kernel/hostname', 'kiste\n');
  host.put('/etc/passwd', 'root:x:0:0::/root:/bin/sh\nanna:x:1000:1000:Anna A.:/home/anna:/bin/sh\n');
  host.put('/proc/meminfo', 'MemTotal: 4096 kB\n');
  host.put(
    '/usr/share/misc/pci.ids',
    '1b36  Red Hat, Inc.\n\t0010  QEMU NVMe\n\t9999  Other\n8086  Intel\n9999  Nobody\n',
  );
  host.put(
    '/proc/700/cmdline',
    '/usr/bin/qemu-system-x86_64\0-name\0guest=win11\0-drive\0file=/home/anna/secret.img\0',
  );
  host.put('/proc/701/cmdline', '/opt/secret/bin/mailer\0--password=hunter2\0');
  host.put(
    '/etc/passqemu/win11.ini',
    '[devices]\ndisk = serial LABNVME0\nnic = mac 52:54:00:aa:00:01\n',
    0o644,
  );
  host.put(
    '/run/udev/data/b259:0',
    'E:ID_SERIAL_SHORT=LABNVME0\nE:ID_FS_TYPE=ext4\nE:ID_FS_LABEL=annas-data\nS:x\n',
  );
  return host;
}

test('a recorded machine reads as the machine did, names of people aside', async () => {
  const host = machine();
  const recorded = await recordedOf(host);
  const text = (report: unknown) => JSON.stringify(report, null, 1).replaceAll('/anna/', '/user1/');
  assert.equal(
    text(readDevicesReport(recorded, '/run/passqemu')),
    text(readDevicesReport(host, '/run/passqemu')),
  );
  assert.equal(
    text(readTopologyReport(recorded, '/run/passqemu')),
    text(readTopologyReport(host, '/run/passqemu')),
  );
  const names = readDevicesReport(recorded, '/run/passqemu').devices.map(({ name }) => name);
  assert.ok(names.includes('Red Hat, Inc. QEMU NVMe') && names.includes('Intel'));
});

test('a recorded machine plans the profile that is in it as the machine did, by pseudonyms', async () => {
  const host = machine();
  const recorded = await recordedOf(host);
  const wanted = { devices: { disk: 'serial LABNVME0', nic: 'mac 52:54:00:aa:00:01' } };
  const pseudonyms = { devices: { disk: 'serial SERIAL1', nic: 'mac 02:00:00:00:00:01' } };
  assert.equal(
    recorded.read('/etc/passqemu/win11.ini'),
    '[devices]\ndisk = serial SERIAL1\nnic = mac 02:00:00:00:00:01',
  );
  assert.deepEqual(planOn(recorded, pseudonyms), planOn(host, wanted));
});

test('a recorded machine with simpledrm on its only display plans the hand-over as the machine did', async () => {
  const host = simpledrmMachine();
  const recorded = planSimpledrm(await recordedOf(host));
  assert.ok(recorded.notes.some((note) => /^simple-framebuffer\.0 .* gone until the next boot/.test(note)));
  assert.deepEqual(recorded, planSimpledrm(host));
});

test('a snapshot holds nothing that tells whose the machine is', async () => {
  const tree = await recordMachine(globalsOf(machine()));
  const all = [...walkTree(tree.top)]
    .map(
      ({ path, node }) =>
        `${path} ${node.kind === 'file' ? node.bytes : node.kind === 'link' ? node.target : ''}`,
    )
    .join('\n');
  for (const secret of ['anna', 'kiste', 'LABNVME', '52:54:00', 'hunter2', 'secret', 'Nobody', '0108090A']) {
    assert.ok(!all.includes(secret), `${secret} in ${all.split('\n').find((line) => line.includes(secret))}`);
  }
  assert.match(all, /\/proc\/701\/cmdline mailer/);
  assert.match(all, /guest=win11/);
});

test('a snapshot of an ordinary user holds what that user sees, and journals of root only by their names', async () => {
  const host = machine();
  host.put('/run/passqemu/win11.jsonl', '{"this is": "no journal"}\n');
  host.put(
    '/run/passqemu/summary.json',
    '{"guests":[{"guest":"win11","uuid":null,"cpus":"1","steps":[]}]}\n',
  );
  const recorded = await recordedOf(host);
  assert.equal(recorded.readOptional('/run/passqemu/win11.jsonl'), null);
  assert.deepEqual(readTopologyReport(recorded, '/run/passqemu').guests, [
    { guest: 'win11', cpus: '1', vcpus: [] },
  ]);
});
