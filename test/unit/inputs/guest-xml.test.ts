import assert from 'node:assert/strict';
import test from 'node:test';
import { parseGuestXml } from '../../../lib/inputs/guest-xml.ts';
import { DomainError } from '../../../lib/words/errors.ts';
import { HEALTHY_XML } from '../../fake/healthy-machine.ts';

test('parseGuestXml() reads what decides how well passthrough works', () => {
  const xml = parseGuestXml(HEALTHY_XML);
  assert.deepEqual(xml, {
    type: 'kvm',
    machine: 'pc-q35-9.2',
    os: 'http://microsoft.com/win/11',
    emulator: '/usr/bin/qemu-system-x86_64',
    loader: { path: '/usr/share/OVMF/OVMF_CODE_4M.fd', type: 'pflash' },
    firmware: 'efi',
    nvram: { path: '/var/lib/libvirt/qemu/nvram/win11_VARS.fd', template: '/usr/share/OVMF/OVMF_VARS_4M.fd' },
    cpuMode: 'host-passthrough',
    cpuFeatures: new Map(),
    threads: 2,
    addressLimitBits: 39,
    hiddenKvm: true,
    hypervVendor: '0123456789ab',
    hyperv: ['relaxed', 'vapic', 'spinlocks', 'vpindex', 'synic', 'stimer', 'vendor_id'],
    disks: [{ source: '/var/lib/libvirt/images/win11.qcow2', bus: 'virtio', device: 'disk' }],
    interfaces: [{ type: 'network', model: 'virtio' }],
    roms: [{ address: '0000:01:00.0', file: '/usr/share/vgabios/card.rom', bar: true }],
    evdev: ['/dev/input/by-id/usb-keyboard-event-kbd'],
    balloon: false,
    tpmEmulator: true,
  });
});

test('parseGuestXml() of a bare domain says nothing, but for the balloon that libvirt adds', () => {
  const { cpuFeatures, ...rest } = parseGuestXml('<domain/>');
  assert.equal(cpuFeatures.size, 0);
  assert.deepEqual(
    Object.entries(rest).filter(
      ([, value]) => value !== null && !(Array.isArray(value) && value.length === 0),
    ),
    [
      ['hiddenKvm', false],
      ['balloon', true],
      ['tpmEmulator', false],
    ],
  );
});

test('parseGuestXml() leaves out odd numbers and sources that are no paths', () => {
  const xml = parseGuestXml(
    "<domain><cpu><topology threads='x'/></cpu><devices><disk><source file='relative'/></disk><disk/><hostdev><source><address domain='0x' bus='0x1'/></source><rom bar='off'/></hostdev></devices></domain>",
  );
  assert.deepEqual(
    [xml.threads, xml.disks, xml.roms, xml.cpuMode],
    [null, [], [{ address: null, file: null, bar: false }], 'custom'],
  );
});

test('parseGuestXml() refuses what is no domain', () => {
  for (const text of ['', '<domain>', '<network/>', '<!DOCTYPE domain><domain/>'])
    assert.throws(() => parseGuestXml(text), DomainError);
});
