import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDevicesReport } from '../../../launchers/devices-report.ts';
import { cardsOf } from '../../../launchers/new-cards.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import type { PciSpec } from '../../fake/pci-machine.ts';
import { addPciDevice } from '../../fake/pci-model.ts';

const nvidia = { vendor: '10de', driver: 'nouveau', group: 14, node: 1 } as const;
const FUNCTIONS: readonly PciSpec[] = [
  { address: '0000:00:00.0', vendor: '8086', device: '1237', class: '060000', group: 0 },
  {
    address: '0000:00:02.0',
    vendor: '8086',
    device: '9a49',
    class: '030000',
    group: 1,
    driver: 'i915',
    bootVga: true,
  },
  { address: '0000:01:00.0', device: '2684', class: '030000', ...nvidia },
  { address: '0000:01:00.1', device: '22ba', class: '040300', ...nvidia, driver: 'snd_hda_intel' },
  { address: '0000:02:00.0', vendor: '8086', device: '10d3', class: '020000', group: 15, driver: 'e1000e' },
  { address: '0000:03:00.0', vendor: '1b4b', device: '9215', class: '010601', group: 15, driver: 'ahci' },
];

test('cardsOf() puts the functions of a card together and tells what speaks against it', () => {
  const host = new FakeHost();
  for (const spec of FUNCTIONS) addPciDevice(host, spec);
  const cards = cardsOf(readDevicesReport(host, '/run/passqemu'));
  assert.deepEqual(
    cards.map(({ kind, functions, node, concerns, strangers }) => ({
      kind,
      functions,
      node,
      concerns,
      strangers,
    })),
    [
      {
        kind: 'display',
        functions: ['0000:00:02.0'],
        node: null,
        concerns: ['shows the boot screen'],
        strangers: [],
      },
      { kind: 'display', functions: ['0000:01:00.0', '0000:01:00.1'], node: 1, concerns: [], strangers: [] },
      {
        kind: 'network',
        functions: ['0000:02:00.0'],
        node: null,
        concerns: ['shares its group with 0000:03:00.0'],
        strangers: ['0000:03:00.0'],
      },
      {
        kind: 'storage',
        functions: ['0000:03:00.0'],
        node: null,
        concerns: ['shares its group with 0000:02:00.0'],
        strangers: ['0000:02:00.0'],
      },
    ],
  );
});
