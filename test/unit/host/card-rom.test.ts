import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCardRom } from '../../../lib/host/card-rom.ts';
import { HostError } from '../../../lib/words/errors.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { pci } from '../../fake/pci-model.ts';

const ADDRESS = pci('0000:01:00.0');
const ROM = '/sys/bus/pci/devices/0000:01:00.0/rom';

/** A card that shows its ROM only while that is switched on. */
function machine(content: string): FakeHost {
  const host = new FakeHost().put(ROM, '');
  host.onWrite(ROM, (path, text, on) => void on.put(path, text === '1' ? content : ''));
  return host;
}

test('readCardRom() switches the ROM on, reads it, and switches it off again', () => {
  const host = machine('U-rom');
  assert.equal(readCardRom(host, ADDRESS, 100).toString(), 'U-rom');
  assert.equal(host.peek(ROM), '');
});

test('readCardRom() switches the ROM off again where it cannot be read', () => {
  const host = machine('U-rom');
  host.fault = { at: 3, how: 'EIO' };
  assert.throws(() => readCardRom(host, ADDRESS, 100), HostError);
  assert.equal(host.peek(ROM), '');
});

test('readCardRom() says that there is no ROM, or that the card does not answer', () => {
  assert.throws(() => readCardRom(new FakeHost(), ADDRESS, 100), /it has none that the kernel can reach/);
  assert.throws(() => readCardRom(machine(''), ADDRESS, 100), /the card does not answer \(no bytes\)/);
  assert.throws(() => readCardRom(machine('\0\0\0'), ADDRESS, 100), /the card does not answer \(only 00\)/);
});
