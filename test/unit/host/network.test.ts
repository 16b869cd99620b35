import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readNetworkUses } from '../../../lib/host/network.ts';
import { addInterface } from '../../fake/device-model.ts';
import type { FakeHost } from '../../fake/fake-host.ts';
import { labMachine } from '../../fake/lab-machine.ts';
import { pci } from '../../fake/pci-model.ts';

const NIC = '/sys/devices/pci0000:00/0000:00:10.0/0000:01:00.0/net/enp1s0';
const HEAD = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';

function uses(host: FakeHost): string[] {
  return readNetworkUses(host, [pci('0000:01:00.0')]).map((use) => {
    assert.deepEqual([use.address, use.on], ['0000:01:00.0', 'enp1s0']);
    return `${use.severity} ${use.why} ${use.what}`;
  });
}

/** Stacks virtual interfaces: each on the one before. */
function stack(host: FakeHost, ...names: readonly string[]): void {
  let path = NIC;
  for (const name of names) {
    host.putLink(`${path}/upper_${name}`, `/sys/devices/virtual/net/${name}`);
    path = addInterface(host, `/sys/devices/virtual/net/${name}`, '52:54:00:00:00:00');
  }
}

test('readNetworkUses() has nothing to say of an idle card', () => {
  assert.deepEqual(uses(labMachine()), []);
});

test('readNetworkUses() finds the default routes of both families on the card itself', () => {
  const host = labMachine();
  host.put('/proc/net/route', `${HEAD}enp1s0\t00000000\t0108090A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n`);
  const route = `${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00 fe80 00000400 00000001 00000000 00000003   enp1s0\n`;
  host.put('/proc/net/ipv6_route', route);
  assert.deepEqual(uses(host), [
    'refuse default-route IPv4 through enp1s0',
    'refuse default-route IPv6 through enp1s0',
    'note address enp1s0',
  ]);
});

test('readNetworkUses() finds them through a VLAN on a bond in a bridge', () => {
  const host = labMachine();
  stack(host, 'bond0', 'bond0.10', 'br0');
  host.putFolder('/sys/class/net/bond0/bonding').putFolder('/sys/class/net/br0/bridge');
  host.put('/proc/net/route', `${HEAD}br0\t00000000\t0108090A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n`);
  assert.deepEqual(uses(host), [
    'warn bond bond0',
    'refuse default-route IPv4 through br0',
    'warn bridge br0',
    'note address br0',
  ]);
});

test('readNetworkUses() passes over routes that are down, reject, or lead elsewhere', () => {
  const host = labMachine();
  const routes = [
    'enp1s0\t00000000\t0108090A\t0002\t0\t0\t0\t00000000\t0\t0\t0',
    'enp1s0\t00000000\t0108090A\t0201\t0\t0\t0\t00000000\t0\t0\t0',
    'enp1s0\t00000000\t0108090A\t0003\t0\t0\t0\t00000080\t0\t0\t0',
    'ens1\t00000000\t0108090A\t0003\t0\t0\t0\t00000000\t0\t0\t0',
  ];
  host.put('/proc/net/route', `${HEAD}${routes.join('\n')}\n`);
  const lo = `${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00 ${'0'.repeat(32)} ffffffff 00000001 00000000 00200200       lo\n`;
  const v6 = (target: string, bits: string, flags: string) =>
    `${target.padEnd(32, '0')} ${bits} ${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00000400 00000001 00000000 ${flags}   enp1s0\n`;
  const others = [
    v6('fd00', '40', '00000001'),
    v6('', '01', '00000001'),
    v6('fd', '00', '00000001'),
    v6('', '00', '00000200'),
    v6('', '00', '00000000'),
  ];
  host.put('/proc/net/ipv6_route', `${lo}${others.join('')}short line\n`);
  assert.deepEqual(uses(host), ['note address enp1s0']);
});

test('readNetworkUses() counts global IPv6 addresses, not those of the link', () => {
  const host = labMachine();
  host.put('/proc/net/if_inet6', `fe80${'0'.repeat(28)} 02 40 20 80   enp1s0\n`);
  assert.deepEqual(uses(host), []);
  host.put('/proc/net/if_inet6', `fd00${'0'.repeat(28)} 02 40 00 80   enp1s0\n`);
  assert.deepEqual(uses(host), ['note address enp1s0']);
});

test('readNetworkUses() ends where interfaces are stacked in a circle', () => {
  const host = labMachine();
  stack(host, 'a', 'b');
  host.putLink('/sys/devices/virtual/net/b/upper_a', '/sys/devices/virtual/net/a');
  assert.deepEqual(uses(host), []);
});
