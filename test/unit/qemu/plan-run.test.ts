import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QemuCapabilities, RunPicture } from '../../../lib/host/run-picture.ts';
import { parseRunProfile } from '../../../lib/inputs/read-run-profile.ts';
import { lookingGlassBytes } from '../../../lib/qemu/display.ts';
import { stableMac } from '../../../lib/qemu/networks.ts';
import { planRun, stableUuid } from '../../../lib/qemu/plan-run.ts';
import type { RunPlan } from '../../../lib/qemu/run-plan.ts';
import type { PciAddress } from '../../../lib/words/pci-address.ts';
import { goldenPicture, goldenQemu } from '../../golden/golden-picture.ts';

const BIOS = '[firmware]\ntype = bios\n';
const QEMU = goldenQemu();

function planOf(
  text: string,
  picture: Partial<RunPicture> = {},
  qemu: Partial<QemuCapabilities> = {},
): RunPlan {
  const whole = parseRunProfile(text, { guest: 'g', path: '/g.ini' });
  return planRun(whole, { ...goldenPicture(whole), ...picture }, { ...QEMU, ...qemu });
}

/** The words behind an option. */
function valuesOf({ argv }: RunPlan, name: string): string[] {
  return argv.filter((_word, index) => argv[index - 1] === name);
}

const VARS = '/var/lib/passqemu/g/vars.fd';
const TEMPLATE = '/usr/share/OVMF/OVMF_VARS_4M.fd';

test('planRun() has the variables copied once, with a record of what they were copied from', () => {
  const digests = new Map([[TEMPLATE, 'd1']]);
  const first = planOf('[machine]\n', { templateDigests: digests });
  assert.deepEqual(first.prepare.variables, {
    from: TEMPLATE,
    to: VARS,
    record: { path: `${VARS}.template`, text: `{"path":"${TEMPLATE}","digest":"d1"}\n` },
  });
  assert.ok(first.prepare.folders.includes('/var/lib/passqemu/g'));
  const copied = { path: VARS, exists: true, copiedFrom: { path: TEMPLATE, digest: 'd1' } };
  const later = planOf('[machine]\n', { templateDigests: digests, variables: copied });
  assert.deepEqual([later.prepare.variables, later.notes], [null, []]);
});

test('planRun() tells that the template has changed, and keeps the guest’s variables', () => {
  const copied = { path: VARS, exists: true, copiedFrom: { path: TEMPLATE, digest: 'old' } };
  const changed = planOf('[machine]\n', { templateDigests: new Map([[TEMPLATE, 'new']]), variables: copied });
  assert.equal(changed.prepare.variables, null);
  assert.match(changed.notes.join(), /^\/usr\/share\/OVMF\/OVMF_VARS_4M\.fd has changed since/);
  const other = planOf('[machine]\n', {
    variables: { ...copied, copiedFrom: { path: '/old/vars.fd', digest: 'x' } },
  });
  assert.match(other.notes.join(), /are a copy of \/old\/vars\.fd, now/);
});

test('planRun() shows the threads of a core to guests of AMD hosts', () => {
  const cpu = (picture: Partial<RunPicture>, text = 'threads = 2\nvcpus = 4') =>
    valuesOf(planOf(`[machine]\n${text}\n${BIOS}`, picture), '-cpu')[0];
  assert.equal(cpu({ processorVendor: 'amd' }), 'host,migratable=off,topoext=on');
  assert.equal(cpu({ processorVendor: 'intel' }), 'host,migratable=off');
  assert.equal(cpu({ processorVendor: 'amd' }, 'vcpus = 4'), 'host,migratable=off');
});

test('planRun() gives up privileges as this QEMU can', () => {
  const text = `[machine]\nuser = me\n${BIOS}`;
  const user = { name: 'me', uid: 1000, gid: 1000 };
  assert.deepEqual(valuesOf(planOf(text, { user }), '-run-with'), ['user=me']);
  const old = planOf(text, { user }, { options: new Set(['-run-with']) });
  assert.deepEqual([valuesOf(old, '-runas'), old.user], [['me'], user]);
  const plain = planOf(text, { user, isRoot: false });
  assert.deepEqual([plain.user, plain.argv.includes('-run-with')], [null, false]);
});

test('planRun() leaves an ordinary user’s bridge helper outside of the sandbox', () => {
  const text = `${BIOS}[network n]\ntype = bridge\nbridge = br0\n`;
  const sandboxes = [true, false].map((isRoot) => valuesOf(planOf(text, { isRoot }), '-sandbox'));
  assert.deepEqual(sandboxes, [
    ['on,obsolete=deny,elevateprivileges=deny,spawn=allow,resourcecontrol=deny'],
    [],
  ]);
  assert.match(planOf(text, { isRoot: false }).notes.join(), /^QEMU runs without its sandbox/);
});

test('planRun() takes iommufd by itself only where both have it', () => {
  const text = `[machine]\niommufd = auto\n${BIOS}[devices]\nn = 01:00.0\n`;
  const has = (plan: RunPlan) => plan.argv.some((word) => word.includes('iommufd'));
  assert.equal(has(planOf(text)), true);
  assert.equal(has(planOf(text, { iommufd: false })), false);
  assert.equal(has(planOf(text, {}, { vfioProperties: new Set() })), false);
});

test('planRun() gives virtual functions of one card root ports of their own', () => {
  const at = (address: string) => ({ address: address as PciAddress, isVirtual: true });
  const plan = planOf(`${BIOS}[devices]\na = 07:10.0\nb = 07:10.2\n`, {
    functions: new Map([
      ['a', at('0000:07:10.0')],
      ['b', at('0000:07:10.2')],
    ]),
  });
  const given = valuesOf(plan, '-device').filter((word) => word.startsWith('vfio-pci'));
  assert.deepEqual(given, [
    'vfio-pci,host=0000:07:10.0,id=device-a,bus=port3,addr=0x0',
    'vfio-pci,host=0000:07:10.2,id=device-b,bus=port4,addr=0x0',
  ]);
  assert.deepEqual(
    plan.functions.map(({ id }) => id),
    ['device-a', 'device-b'],
  );
});

test('planRun() counts what functions pin, and nothing without them', () => {
  const pinned = planOf(`[machine]\nmemory = 2G\n${BIOS}[devices]\nn = 01:00.0\n`);
  assert.deepEqual([pinned.lockedKib, planOf(BIOS).lockedKib], [3 * 1024 ** 2, 0]);
});

test('planRun() says where threads go', () => {
  const { threads } = planOf(
    `[machine]\nmemory = 1G\n[cpu]\npins = 2 10-11\nemulator = 0\niothreads = io:3\nreal-time = round-robin\n${BIOS}[disk a]\nsource = /a\niothread = io\n`,
  );
  assert.deepEqual(threads, {
    vcpus: [[2], [10, 11]],
    iothreads: [{ id: 'iothread-io', cpus: [3] }],
    emulator: [0],
    realTime: { policy: 'round-robin', priority: 1 },
    wholeProcess: null,
  });
});

test('planRun() starts a TPM and folders before QEMU, each by its own socket', () => {
  const plan = planOf(`${BIOS}[tpm]\ntype = swtpm\n[share s]\nsource = /srv\nread-only = yes\n`);
  assert.deepEqual(
    plan.sidecars.map(({ name, socket, asUser }) => [name, socket, asUser]),
    [
      ['swtpm', '/run/passqemu/run/g/tpm.sock', true],
      ['virtiofsd of s', '/run/passqemu/run/g/share-s.sock', false],
    ],
  );
  assert.deepEqual(plan.sidecars[1]?.argv.at(-1), '--readonly');
  assert.deepEqual(plan.prepare.once[0]?.unless, '/var/lib/passqemu/g/tpm/tpm2-00.permall');
});

test('planRun() speaks with the virtiofsd that is there', () => {
  const programs = {
    ...goldenPicture(parseRunProfile(BIOS, { guest: 'g', path: '/p' })).programs,
    virtiofsd: { path: '/v', kind: 'c' as const },
  };
  const plan = planOf(`${BIOS}[share s]\nsource = /srv\ncache = never\n`, { programs });
  assert.deepEqual(plan.sidecars[0]?.argv, [
    '/v',
    '--socket-path=/run/passqemu/run/g/share-s.sock',
    '-o',
    'source=/srv',
    '-o',
    'cache=none',
  ]);
});

test('planRun() opens a macvtap for QEMU, once for each queue', () => {
  const plan = planOf(`${BIOS}[network n]\ntype = macvtap\ninterface = mv0\nqueues = 2\n`);
  assert.deepEqual(plan.descriptors, [
    { fd: 10, path: '/dev/tap7', access: 'read-write' },
    { fd: 11, path: '/dev/tap7', access: 'read-write' },
  ]);
  assert.deepEqual(valuesOf(plan, '-netdev'), ['tap,id=net-n,fds=10:11,vhost=on']);
});

test('planRun() gives the guest what the host says of itself, where asked', () => {
  assert.deepEqual(valuesOf(planOf(`${BIOS}[smbios]\nhost = yes\nserial = 7\n`), '-smbios'), [
    'type=1,manufacturer=Host Maker,, Inc.,serial=7',
  ]);
});

test('planRun() tells of a display without a password that others reach', () => {
  const notes = (address: string) =>
    planOf(`${BIOS}[display]\ntype = vnc\naddress = ${address}\n`).notes.length;
  assert.deepEqual(['127.0.0.1', 'localhost', '0.0.0.0', '192.168.1.2'].map(notes), [0, 0, 1, 1]);
});

test('stableUuid() and stableMac() are always the same for a name and differ between names', () => {
  assert.equal(stableUuid('win11'), stableUuid('win11'));
  assert.notEqual(stableUuid('win11'), stableUuid('win10'));
  assert.match(stableUuid('x'), /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.match(stableMac('g', 'lan'), /^52:54:00(:[0-9a-f]{2}){3}$/);
  assert.notEqual(stableMac('g', 'lan'), stableMac('g', 'wan'));
});

test('lookingGlassBytes() is what the client’s documentation computes', () => {
  const sizes = [
    [1920, 1080, false],
    [2560, 1440, false],
    [3840, 2160, false],
    [3840, 2160, true],
  ] as const;
  assert.deepEqual(
    sizes.map(([width, height, hdr]) => lookingGlassBytes(width, height, hdr) / 1024 ** 2),
    [32, 64, 128, 256],
  );
});
