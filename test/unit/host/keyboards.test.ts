import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readKeyboards, readKeyboardUses } from '../../../lib/host/keyboards.ts';
import { labMachine } from '../../fake/lab-machine.ts';
import { pci } from '../../fake/pci-model.ts';

const XHCI = pci('0000:03:00.0');
const USB = { address: XHCI, why: 'usb-keyboard', what: 'QEMU USB Keyboard', on: 'QEMU USB Keyboard' };

test('readKeyboards() finds what has letters, not power buttons', () => {
  const names = readKeyboards(labMachine()).map(({ name }) => name);
  assert.deepEqual(names, ['AT Translated Set 2 keyboard', 'QEMU USB Keyboard']);
});

test('readKeyboardUses() warns only where no other keyboard is left', () => {
  const host = labMachine();
  assert.deepEqual(readKeyboardUses(host, [XHCI]), [{ ...USB, severity: 'note' }]);
  host.drop('/sys/class/input/input0');
  assert.deepEqual(readKeyboardUses(host, [XHCI]), [{ ...USB, severity: 'warn' }]);
  assert.deepEqual(readKeyboardUses(host, [pci('0000:06:02.0')]), []);
});

test('readKeyboardUses() does not look for keyboards on what cannot carry any', () => {
  const host = labMachine();
  assert.deepEqual(readKeyboardUses(host, [pci('0000:01:00.0'), pci('0000:02:00.0')]), []);
  assert.equal(
    host.calls.some((call) => call.includes('/sys/class/input')),
    false,
  );
});
