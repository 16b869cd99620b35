import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pciKind } from '../../../lib/words/pci-class.ts';

test('pciKind() sorts functions by their class code', () => {
  const kinds = [
    '030000',
    '038000',
    '040300',
    '020000',
    '010802',
    '010601',
    '0c0330',
    '0c0500',
    '060400',
    '120000',
    'ff0000',
    null,
  ];
  assert.deepEqual(kinds.map(pciKind), [
    'display',
    'display',
    'audio',
    'network',
    'nvme',
    'storage',
    'usb',
    'other',
    'bridge',
    'other',
    'other',
    'other',
  ]);
});
