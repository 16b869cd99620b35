import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PciFunction } from '../../../lib/host/pci-function.ts';
import { chooseBarSizes } from '../../../lib/plan/bar-sizes.ts';
import type { Chosen } from '../../../lib/plan/device-input.ts';
import { chooseResetMethods, noteReset } from '../../../lib/plan/reset-methods.ts';
import { pci } from '../../fake/pci-model.ts';

function chosen(changes: Partial<PciFunction> = {}): Chosen {
  const fn = {
    address: pci('0000:01:00.0'),
    resetMethods: ['flr', 'bus'],
    vendorId: '1002',
    deviceId: '744c',
    classCode: '030000',
    powerState: 'D0',
    ...changes,
  } as PciFunction;
  return { fn, name: '0000:01:00.0 (gpu)', ours: true };
}

test('chooseResetMethods() takes labels and addresses, one method or several in order', () => {
  for (const wish of ['gpu:bus+flr', '0000:01:00.0:bus+flr']) {
    const { methods, refusals } = chooseResetMethods([wish], [chosen()]);
    assert.deepEqual([[...methods], refusals], [[['0000:01:00.0', 'bus flr']], []]);
  }
});

test('chooseResetMethods() refuses what is no method, not there, or of another function', () => {
  const summaries = (wish: string, one = chosen()) =>
    chooseResetMethods([wish], [one]).refusals.map(({ summary, remedy }) => `${summary} / ${remedy}`);
  assert.deepEqual(summaries('gpu:brute'), [
    'Cannot set how gpu:brute is reset: there is no method brute / The methods are device_specific, acpi, flr, af_flr, pm, bus and cxl_bus',
  ]);
  assert.deepEqual(summaries('gpu:pm'), [
    'Cannot set how gpu:pm is reset: 0000:01:00.0 has no pm / It has flr and bus',
  ]);
  assert.deepEqual(summaries('gpu:pm', chosen({ resetMethods: [] })), [
    'Cannot set how gpu:pm is reset: 0000:01:00.0 has no pm / It cannot be reset at all',
  ]);
  assert.deepEqual(summaries('nic:flr'), [
    "Cannot set how nic:flr is reset: nic is none of the guest's functions, it must be a label of [devices] or an address / Write label:method, such as gpu:bus",
  ]);
  assert.equal(summaries('bus').length, 1);
});

test('noteReset() names cards that need vendor-reset until they have it, and cards in D3cold', () => {
  assert.deepEqual(noteReset(chosen()), []);
  assert.match(noteReset(chosen({ deviceId: '731f' }))[0] ?? '', /vendor-reset/);
  assert.deepEqual(noteReset(chosen({ deviceId: '731f', resetMethods: ['device_specific'] })), []);
  assert.deepEqual(noteReset(chosen({ deviceId: '731f', vendorId: '10de' })), []);
  assert.match(noteReset(chosen({ powerState: 'D3cold' }))[0] ?? '', /D3cold/);
});

test('chooseBarSizes() takes powers of two for BARs that can be resized, and refuses all else', () => {
  const one = chosen({
    bars: [
      { index: 0, sizeBytes: 1 << 28, resizable: true },
      { index: 2, sizeBytes: 1 << 21, resizable: false },
    ],
  });
  const { sizes, refusals } = chooseBarSizes(['gpu:0:8G'], [one]);
  assert.deepEqual([[...sizes], refusals], [[['0000:01:00.0', { 0: 8192 }]], []]);
  const refused = (wish: string) => chooseBarSizes([wish], [one]).refusals.map(({ summary }) => summary);
  assert.deepEqual(refused('gpu:2:4M'), [
    'Cannot size a BAR by gpu:2:4M: BAR 2 of 0000:01:00.0 cannot be resized',
  ]);
  assert.deepEqual(refused('gpu:0:3M'), [
    'Cannot size a BAR by gpu:0:3M: 3M is no power of two of at least 1M',
  ]);
  assert.deepEqual(refused('gpu:0:512K').length + refused('nic:0:1M').length + refused('gpu').length, 3);
});
