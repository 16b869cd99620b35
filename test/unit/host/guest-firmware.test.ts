import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFirmwareDescriptor, readGuestFirmware } from '../../../lib/host/guest-firmware.ts';
import { FakeHost } from '../../fake/fake-host.ts';

function descriptor(over: Record<string, unknown> = {}): string {
  return JSON.stringify({
    'interface-types': ['uefi'],
    mapping: {
      device: 'flash',
      executable: { filename: '/fw/code.qcow2', format: 'qcow2' },
      'nvram-template': { filename: '/fw/vars.qcow2', format: 'qcow2' },
    },
    targets: [
      { architecture: 'x86_64', machines: ['pc-q35-*'] },
      { architecture: 'aarch64', machines: ['virt-*'] },
    ],
    features: ['secure-boot', 7],
    ...over,
  });
}

test('parseFirmwareDescriptor() reads images, formats, machines and features', () => {
  assert.deepEqual(parseFirmwareDescriptor(descriptor(), 'x.json'), {
    source: 'x.json',
    code: '/fw/code.qcow2',
    codeFormat: 'qcow2',
    template: '/fw/vars.qcow2',
    templateFormat: 'qcow2',
    machines: ['pc-q35-*'],
    features: ['secure-boot'],
  });
});

test('parseFirmwareDescriptor() gives null for what is no x86-64 UEFI in two flash images', () => {
  const wrong = [
    '',
    '[]',
    'null',
    '{"mapping": 7}',
    descriptor({ 'interface-types': ['bios'] }),
    descriptor({ mapping: { device: 'memory', filename: '/fw/all.fd' } }),
    descriptor({ targets: [{ architecture: 'aarch64', machines: ['virt-*'] }] }),
    descriptor({
      mapping: { device: 'flash', executable: { filename: 'code.fd' }, 'nvram-template': { filename: '/v' } },
    }),
  ];
  assert.deepEqual(
    wrong.map((text) => parseFirmwareDescriptor(text, 'x')),
    wrong.map(() => null),
  );
});

function host(files: Record<string, string>): FakeHost {
  const fake = new FakeHost();
  for (const [path, text] of Object.entries(files)) fake.put(path, text);
  return fake;
}

test('readGuestFirmware() takes descriptors by name, the nearest folder first, and leaves out what is hidden or not there', () => {
  const of = (code: string) =>
    descriptor({
      mapping: {
        device: 'flash',
        executable: { filename: code, format: 'raw' },
        'nvram-template': { filename: '/fw/v', format: 'raw' },
      },
    });
  const machine = host({
    '/fw/a': 'a',
    '/fw/b': 'bb',
    '/fw/c': 'c',
    '/fw/v': 'vvv',
    '/usr/share/qemu/firmware/60-b.json': of('/fw/a'),
    '/usr/share/qemu/firmware/50-hidden.json': of('/fw/a'),
    '/usr/share/qemu/firmware/70-gone.json': of('/fw/gone'),
    '/etc/qemu/firmware/60-b.json': of('/fw/b'),
    '/etc/qemu/firmware/50-hidden.json': '',
    '/home/me/.config/qemu/firmware/55-mine.json': of('/fw/c'),
    '/usr/share/OVMF/OVMF_CODE_4M.fd': 'x',
    '/usr/share/OVMF/OVMF_VARS_4M.fd': 'y',
  });
  const found = readGuestFirmware(machine, '/home/me/.config').map(({ code, source, codeBytes }) => [
    code,
    source,
    codeBytes,
  ]);
  assert.deepEqual(found, [
    ['/fw/c', '/home/me/.config/qemu/firmware/55-mine.json', 1],
    ['/fw/b', '/etc/qemu/firmware/60-b.json', 2],
    ['/usr/share/OVMF/OVMF_CODE_4M.fd', 'the known place of a distribution', 1],
  ]);
  assert.deepEqual(
    readGuestFirmware(machine, null).map(({ code }) => code),
    ['/fw/b', '/usr/share/OVMF/OVMF_CODE_4M.fd'],
  );
});
