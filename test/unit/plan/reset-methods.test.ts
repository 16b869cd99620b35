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
    const { methods, refusals } = chooseResetMethods([wish], [chosen()], false);
    assert.deepEqual([[...methods], refusals], [[['0000:01:00.0', 'bus flr']], []]);
  }
});

test('chooseResetMethods() refuses what is no method, not there, or of another function', () => {
  const summaries = (wish: string, one = chosen()) =>
    chooseResetMethods([wish], [one], false).refusals.map(({ summary, remedy }) => `${summary} / ${remedy}`);
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

test('noteReset() names cards that need vendor-reset until it is in use or asked for, and cards in D3cold', () => {
  const notes = (changes: Partial<PciFunction>, loaded = false, method?: string) =>
    noteReset(chosen(changes), loaded, method).join();
  assert.equal(notes({}), '');
  // Navi 10, Polaris 10 and 20, Vega 12
  for (const deviceId of ['731f', '67df', '6fdf', '69a0']) {
    assert.match(
      notes({ deviceId }),
      /install and load the module vendor-reset, and write "reset-methods = 0000:01:00.0:device_specific"/,
    );
    assert.match(notes({ deviceId }, true), /vendor-reset is loaded, but not in use for it: write "reset/);
    assert.equal(notes({ deviceId }, true, 'device_specific'), '');
  }
  assert.equal(notes({ deviceId: '731f', resetMethods: ['device_specific'] }), '');
  assert.equal(notes({ deviceId: '731f', vendorId: '10de' }), '');
  assert.equal(notes({ deviceId: '731f', classCode: '040300' }), '');
  assert.match(notes({ powerState: 'D3cold' }), /D3cold/);
});

test('chooseResetMethods() takes what vendor-reset can do, although the kernel does not show it before it is asked for', () => {
  const choose = (changes: Partial<PciFunction>, loaded: boolean) =>
    chooseResetMethods(['gpu:device_specific+bus'], [chosen(changes)], loaded);
  const navi = { deviceId: '731f', resetMethods: ['bus'] };
  assert.deepEqual([...choose(navi, true).methods], [['0000:01:00.0', 'device_specific bus']]);
  assert.match(choose(navi, false).refusals[0]!.remedy ?? '', /modprobe vendor-reset/);
  assert.match(choose({ resetMethods: ['bus'] }, true).refusals[0]!.summary, /has no device_specific/);
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

test('chooseBarSizes() refuses a size for a function that is on VFIO since the boot, unless it has it', () => {
  const bars = [{ index: 0, sizeBytes: 1 << 28, resizable: true }];
  const one = chosen({ bars, isVfio: true, driver: 'vfio-pci' });
  assert.match(chooseBarSizes(['gpu:0:8G'], [one]).refusals[0]!.summary, /is on vfio-pci already/);
  const same = chooseBarSizes(['gpu:0:256M'], [one]);
  assert.deepEqual([same.refusals, [...same.sizes]], [[], []]);
});
