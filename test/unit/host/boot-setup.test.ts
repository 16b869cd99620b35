import assert from 'node:assert/strict';
import test from 'node:test';
import { readBootLoader } from '../../../lib/host/boot-loader.ts';
import { parseOsRelease, readDistribution } from '../../../lib/host/distribution.ts';
import { parseKernelLog } from '../../../lib/host/kernel-log.ts';
import { parseKernelParameters, valuesOf, wordsOf } from '../../../lib/host/kernel-parameters.ts';
import { parseModprobeConfig, readModprobeConfig } from '../../../lib/host/modprobe-config.ts';
import { FakeHost } from '../../fake/fake-host.ts';

const INFO = '/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f';
const info = (name: string) => (host: FakeHost) =>
  void host.put(INFO, `\x06\0\0\0${[...name].map((sign) => `${sign}\0`).join('')}\0\0`);
const files =
  (...paths: readonly string[]) =>
  (host: FakeHost) => {
    for (const path of paths) host.put(path, 'x');
  };

const all =
  (...makes: readonly ((host: FakeHost) => void)[]) =>
  (host: FakeHost) => {
    for (const make of makes) make(host);
  };

const LOADERS: readonly [string, (host: FakeHost) => void, string][] = [
  ['what the loader told', info('systemd-boot 257'), 'systemd-boot'],
  [
    'what the loader told, before an old GRUB’s files',
    all(info('systemd-boot 257'), files('/etc/default/grub')),
    'systemd-boot',
  ],
  ['rEFInd’s name', info('rEFInd 0.14.2'), 'refind'],
  ['Limine’s name', info('Limine 9.2'), 'limine'],
  ['GRUB’s name', info('GRUB 2.12'), 'grub'],
  ['GRUB’s file', files('/etc/default/grub'), 'grub'],
  ['rEFInd’s file', files('/boot/refind_linux.conf', '/etc/default/grub'), 'refind'],
  ['Limine’s file', files('/boot/limine.conf'), 'limine'],
  ['the loader’s folder on the EFI partition', files('/efi/loader/loader.conf'), 'systemd-boot'],
  ['Pop!_OS', all(info('systemd-boot 249'), files('/usr/bin/kernelstub')), 'kernelstub'],
  ['Proxmox’s tool', files('/etc/kernel/proxmox-boot-uuids', '/etc/default/grub'), 'proxmox-boot-tool'],
  ['nothing', () => {}, 'unknown'],
  ['a variable that is nonsense', files(INFO), 'unknown'],
];
for (const [what, make, loader] of LOADERS) {
  test(`readBootLoader() knows it by ${what}`, () => {
    const host = new FakeHost();
    make(host);
    assert.equal(readBootLoader(host), loader);
  });
}

const RELEASES: readonly [string, string, string][] = [
  ['Ubuntu', 'PRETTY_NAME="Ubuntu 24.04"\nID=ubuntu\nID_LIKE=debian\n', 'debian'],
  ['Linux Mint', 'ID=linuxmint\nID_LIKE="ubuntu debian"\n', 'debian'],
  ['Fedora', 'ID=fedora\n', 'fedora'],
  ['Rocky', 'ID="rocky"\nID_LIKE="rhel centos fedora"\n', 'fedora'],
  ['CachyOS', 'ID=cachyos\nID_LIKE=arch\n', 'arch'],
  ['Tumbleweed', 'ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n', 'suse'],
  ['NixOS', 'ID=nixos\n', 'nixos'],
  ['something else', 'ID=odd\n', 'other'],
  ['nothing', '', 'other'],
];
for (const [what, text, family] of RELEASES) {
  test(`readDistribution() knows ${what}`, () => {
    assert.equal(readDistribution(new FakeHost().put('/etc/os-release', text)).family, family);
  });
}

test('readDistribution() tells Proxmox from Debian and an image from Fedora', () => {
  const debian = new FakeHost().put('/etc/os-release', 'ID=debian\n').put('/usr/bin/pveversion', '');
  assert.equal(readDistribution(debian).family, 'proxmox');
  const fedora = new FakeHost().put('/usr/lib/os-release', 'ID=fedora\n').put('/run/ostree-booted', '');
  assert.equal(readDistribution(fedora).family, 'ostree');
});

test('parseOsRelease() takes quotes of both kinds and leaves out what is no assignment', () => {
  assert.deepEqual(
    [...parseOsRelease(`ID=a\nNAME="B c"\nX='d'\n# Y=1\nlower=1\n`)],
    [
      ['ID', 'a'],
      ['NAME', 'B c'],
      ['X', 'd'],
    ],
  );
});

test('parseKernelParameters() takes quotes, dashes for underscores, and stops at --', () => {
  const words = parseKernelParameters(
    'ro vfio-pci.ids=10de:1,10de:2 a="b c" intel_iommu=on,igfx_off intel_iommu=sp_off -- x=1',
  );
  assert.deepEqual(
    words.map(({ name }) => name),
    ['ro', 'vfio_pci.ids', 'a', 'intel_iommu', 'intel_iommu'],
  );
  assert.deepEqual(valuesOf(words, 'a'), ['b c']);
  assert.deepEqual(valuesOf(words, 'ro'), ['']);
  assert.deepEqual(wordsOf(words, 'vfio_pci.ids'), ['10de:1', '10de:2']);
  assert.deepEqual(wordsOf(words, 'intel_iommu'), ['on', 'igfx_off', 'sp_off']);
});

test('parseKernelLog() reads records and lines of dmesg', () => {
  assert.deepEqual(parseKernelLog('6,1,2,-;one; two\n SUBSYSTEM=pci\n4,2,3,c,caller=T1;three\n'), [
    'one; two',
    'three',
  ]);
  assert.deepEqual(parseKernelLog('[    0.000000] Linux version 6.1\n<6>[   1.5] kvm: x\nplain\n'), [
    'Linux version 6.1',
    'kvm: x',
    'plain',
  ]);
  assert.deepEqual(parseKernelLog('6,1,2,-;red \x1b[31m\n'), ['red  [31m']);
});

test('parseModprobeConfig() reads options, blacklist, softdep and install', () => {
  const text =
    '# x\noptions vfio-pci ids=10de:1 \\\n disable_idle_d3=1\nblacklist snd-hda-intel\nsoftdep nouveau pre: vfio-pci b post: c\ninstall x /bin/true\nalias a b\noptions\n';
  assert.deepEqual(parseModprobeConfig(text, 'f'), [
    { command: 'options', file: 'f', module: 'vfio_pci', options: { ids: '10de:1', disable_idle_d3: '1' } },
    { command: 'blacklist', file: 'f', module: 'snd_hda_intel' },
    { command: 'softdep', file: 'f', module: 'nouveau', before: ['vfio_pci', 'b'], after: ['c'] },
    { command: 'install', file: 'f', module: 'x', does: '/bin/true' },
  ]);
});

test('readModprobeConfig() lets a file of /etc hide that of the same name', () => {
  const host = new FakeHost()
    .put('/usr/lib/modprobe.d/a.conf', 'blacklist x')
    .put('/etc/modprobe.d/a.conf', 'blacklist y')
    .put('/etc/modprobe.d/a.bak', 'blacklist z');
  assert.deepEqual(
    readModprobeConfig(host).map(({ module }) => module),
    ['y'],
  );
});
