import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import zlib from 'node:zlib';
import { formatXorgBusId, parseIomem, parseRegions } from '../../../lib/host/graphics.ts';
import { endOfPlainArchives, readInitramfsHas } from '../../../lib/host/initramfs.ts';
import { readLibvirtDaemon } from '../../../lib/host/libvirt-daemon.ts';
import { parseBuddies, parseMemlock } from '../../../lib/host/memory-health.ts';
import { readProcesses } from '../../../lib/host/process-list.ts';
import { parseProcessor } from '../../../lib/host/processor.ts';
import { parseQemuConf } from '../../../lib/host/qemu-conf.ts';
import { RealHost } from '../../../lib/host/real-host.ts';
import { parseVersion, readEmulator, readLibvirtVersion } from '../../../lib/host/virtualization-packages.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { addProcess } from '../../fake/healthy-machine.ts';
import { pci } from '../../fake/pci-model.ts';
import { archiveOf } from '../doctor/cases-vfio.ts';

test('parseProcessor() reads the first processor only, and nothing where there are no flags', () => {
  const text =
    'vendor_id : AuthenticAMD\nflags : svm lm\naddress sizes : 48 bits physical, 48 bits virtual\n\nvendor_id : GenuineIntel\n';
  const { vendor, flags, physicalBits } = parseProcessor(text);
  assert.deepEqual([vendor, [...flags], physicalBits], ['amd', ['svm', 'lm'], 48]);
  const arm = parseProcessor('processor : 0\nBogoMIPS : 50\n');
  assert.deepEqual([arm.vendor, arm.flags.size, arm.physicalBits], ['other', 0, null]);
});

test('parseRegions() takes memory windows, without an address too, and leaves out ports', () => {
  const text =
    '0x00000000f0000000 0x00000000f7ffffff 0x0000000000140204\n0x000000000000e000 0x000000000000e07f 0x0000000000040101\n0x0000000000000000 0x00000003ffffffff 0x0000000000140204\nnonsense\n';
  assert.deepEqual(parseRegions(text), [
    { first: 0xf0000000n, last: 0xf7ffffffn },
    { first: 0n, last: 0x3ffffffffn },
  ]);
});

test('parseIomem() reads nested ranges', () => {
  assert.deepEqual(parseIomem('c0000000-cfffffff : PCI Bus\n  c0000000-c02fffff : BOOTFB\nnothing\n'), [
    { first: 0xc0000000n, last: 0xcfffffffn, name: 'PCI Bus' },
    { first: 0xc0000000n, last: 0xc02fffffn, name: 'BOOTFB' },
  ]);
});

test('formatXorgBusId() writes decimal numbers, and a domain that is not 0', () => {
  assert.equal(formatXorgBusId(pci('0000:0a:1f.3')), 'PCI:10:31:3');
  assert.equal(formatXorgBusId(pci('10000:e1:00.0')), 'PCI:225@65536:0:0');
});

test('parseBuddies() adds up blocks of 2 MiB and 4 MiB', () => {
  assert.equal(
    parseBuddies('Node 0, zone Normal 9 9 9 9 9 9 9 9 9 3 2\nNode 1, zone   DMA 0 0 0 0 0 0 0 0 0 1 0\n'),
    3 * 2048 + 2 * 4096 + 2048,
  );
  assert.equal(parseBuddies('nonsense'), 0);
});

test('parseMemlock() knows unlimited', () => {
  assert.deepEqual(
    parseMemlock('Max locked memory         unlimited            unlimited            bytes\n'),
    { value: null },
  );
  assert.deepEqual(parseMemlock('Max locked memory         65536            65536            bytes\n'), {
    value: 64,
  });
  assert.deepEqual(parseMemlock('x'), { unseen: '/proc/self/limits has no line for locked memory' });
});

test('parseQemuConf() reads texts, numbers and lists over lines, and no comments', () => {
  const text =
    '#user = "a"\nuser = "b"\n  max_files = 5\nnvram = [\n  "/c:/d", # why\n  #"/e:/f",\n  "/g:/h"\n]\n';
  assert.deepEqual(
    [...parseQemuConf(text)],
    [
      ['user', 'b'],
      ['max_files', '5'],
      ['nvram', ['/c:/d', '/g:/h']],
    ],
  );
});

test('readLibvirtVersion() reads it off the library’s name', () => {
  const host = new FakeHost().putLink('/usr/lib64/libvirt.so.0', 'libvirt.so.0.9000.0');
  assert.deepEqual(readLibvirtVersion(host), [9, 0, 0]);
  assert.equal(readLibvirtVersion(new FakeHost()), null);
});

test('readEmulator() asks packages before the program, and the program only where it must', async () => {
  const debian = new FakeHost()
    .put('/usr/bin/qemu-system-x86_64', '')
    .put('/var/lib/dpkg/status', 'Package: x\n\nPackage: qemu-system-x86\nVersion: 1:7.2+dfsg-7\n');
  assert.deepEqual((await readEmulator(debian)).version, { value: [7, 2, 0] });
  const arch = new FakeHost()
    .put('/usr/bin/qemu-system-x86_64', '')
    .putFolder('/var/lib/pacman/local/qemu-system-x86-10.1.2-1');
  assert.deepEqual((await readEmulator(arch)).version, { value: [10, 1, 2] });
  const other = new FakeHost().put('/usr/local/bin/qemu-system-x86_64', '');
  other.onRun('/usr/local/bin/qemu-system-x86_64', () => ({ stdout: 'QEMU emulator version 9.0.50 (v9)\n' }));
  assert.deepEqual((await readEmulator(other)).version, { value: [9, 0, 50] });
  const broken = new FakeHost().put('/usr/local/bin/qemu-system-x86_64', '');
  assert.deepEqual((await readEmulator(broken)).version, {
    unseen: '/usr/local/bin/qemu-system-x86_64 cannot be run (ENOENT)',
  });
  assert.equal(parseVersion('x'), null);
});

test('readProcesses() takes names with brackets and blanks, and knows kernel threads', () => {
  const host = new FakeHost();
  addProcess(host, 50, 'a) b (c', { state: 'D' });
  host.put('/proc/51/stat', `51 (kworker/0:1) I 2 0 0 0 -1 69238880 ${'0 '.repeat(20)}`);
  host.put('/proc/52/stat', 'nonsense');
  const found = readProcesses(host).filter(({ pid }) => pid < 60);
  assert.deepEqual(found, [
    { pid: 50, comm: 'a) b (c', state: 'D', isKernel: false, startTicks: 5000 },
    { pid: 51, comm: 'kworker/0:1', state: 'I', isKernel: true, startTicks: 0 },
  ]);
});

test('readLibvirtDaemon() takes the one that runs, and its start from boot time and ticks', () => {
  const host = new FakeHost().put('/usr/bin/virtqemud', '').put('/proc/stat', 'btime 1000\n');
  addProcess(host, 60, 'libvirtd', { startTicks: 250 });
  assert.deepEqual(readLibvirtDaemon(host, readProcesses(host)), {
    name: 'libvirtd',
    pid: 60,
    startedMs: 1_002_500,
    toldToLook: false,
  });
  assert.deepEqual(readLibvirtDaemon(host, []), {
    name: 'virtqemud',
    pid: null,
    startedMs: null,
    toldToLook: false,
  });
});

test('endOfPlainArchives() finds the packed archive behind the microcode', () => {
  const plain = Buffer.from(
    `${archiveOf('kernel/x86/microcode/GenuineIntel.bin')}${'\0'.repeat(512)}`,
    'latin1',
  );
  assert.equal(endOfPlainArchives(Buffer.concat([plain, Buffer.from([0x1f, 0x8b])])), plain.length);
  assert.equal(endOfPlainArchives(Buffer.from('070701')), 0);
  assert.equal(endOfPlainArchives(Buffer.from(`070701${'z'.repeat(200)}`)), 0);
});

test('readInitramfsHas() unpacks gzip behind microcode; what is cut or unknown it says', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'passqemu-'));
  t.after(() => rmSync(folder, { recursive: true }));
  execFileSync('mkdir', ['-p', `${folder}/boot`, `${folder}/proc/sys/kernel`]);
  writeFileSync(`${folder}/proc/sys/kernel/osrelease`, '6.1.0\n');
  const early = Buffer.from(archiveOf('kernel/x86/microcode/GenuineIntel.bin'), 'latin1');
  const put = (bytes: Buffer) =>
    writeFileSync(`${folder}/boot/initrd.img-6.1.0`, Buffer.concat([early, bytes]));
  const has = () => readInitramfsHas(new RealHost(folder, () => {}), 'vfio-pci');
  put(zlib.gzipSync(archiveOf('lib/modules/6.1.0/kernel/drivers/vfio/pci/vfio-pci.ko')));
  assert.deepEqual(has(), { value: true });
  put(zlib.gzipSync(archiveOf('lib/modules/6.1.0/kernel/drivers/net/e1000.ko')));
  assert.deepEqual(has(), { value: false });
  put(zlib.gzipSync(archiveOf('lib/modules/6.1.0/kernel/x.ko')).subarray(0, 20));
  assert.deepEqual(has(), { unseen: '/boot/initrd.img-6.1.0 is packed in a way that this node cannot read' });
  put(Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a]));
  assert.deepEqual(has(), { unseen: '/boot/initrd.img-6.1.0 is packed in a way that this node cannot read' });
});

test('readBytes() does not wait for what may come one day', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'passqemu-'));
  t.after(() => rmSync(folder, { recursive: true }));
  execFileSync('mkfifo', [`${folder}/pipe`]);
  assert.equal(new RealHost('/', () => {}).readBytes(`${folder}/pipe`).length, 0);
});
