import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readDevicesReport } from '../../../launchers/devices-report.ts';
import { formatDevices } from '../../../launchers/devices-text.ts';
import { formatReport } from '../../../launchers/report-page.ts';
import { readTopologyReport } from '../../../launchers/topology-report.ts';
import { formatTopologySvg } from '../../../launchers/topology-svg.ts';
import { formatTopology } from '../../../launchers/topology-text.ts';
import type { Host } from '../../../lib/host/host.ts';
import { planPin } from '../../../lib/plan/pin.ts';
import { HostError, RefusedError } from '../../../lib/words/errors.ts';
import { addPolicies } from '../../fake/cpu-model.ts';
import { putMounts } from '../../fake/device-model.ts';
import type { FakeHost } from '../../fake/fake-host.ts';
import { labMachine } from '../../fake/lab-machine.ts';
import { addPciDevice } from '../../fake/pci-model.ts';
import { putCpus } from '../../fake/processors.ts';

const STATE = '/run/passqemu';

function machine(): FakeHost {
  const host = labMachine();
  putMounts(host, '259:0 / /srv ext4 /dev/nvme0n1');
  putCpus(host, 8);
  addPolicies(host, [{ cpus: '0-7', energy: 'power' }]);
  return host;
}

/** Everything that looks at a machine, with all that it says; never anything but a refusal. */
function lookAt(host: Host): void {
  const devices = readDevicesReport(host, STATE);
  const topology = readTopologyReport(host, STATE);
  formatDevices(devices, true);
  formatTopology(topology, true, 80);
  formatTopologySvg(topology);
  formatReport({ system: null, kernel: null, commandLine: null, findings: [], devices, topology, timeMs: 0 });
  try {
    planPin({
      topology,
      taken: new Map(),
      wish: { vcpus: null, smt: 'keep', largeCache: false, device: null },
    });
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
  }
}

/** The machine with some answers of the kernel's spoilt: what `spoil` gives for the N-th call is taken instead. */
function spoilt(host: FakeHost, spoil: (call: number) => 'true' | 'gone' | 'garbage'): Host {
  let calls = 0;
  return new Proxy(host, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const method = value.bind(target);
      if (
        !['read', 'readOptional', 'readBytes', 'list', 'linkName', 'realPath', 'exists', 'stat'].includes(
          String(name),
        )
      )
        return method;
      return (...words: unknown[]) => {
        const how = spoil(calls++);
        if (how === 'true') return method(...words);
        if (name === 'exists') return how === 'garbage';
        if (name === 'list')
          return how === 'gone' ? [] : ['0000:00:1f.9', '..', 'node99999', 'usb1', 'cpu', '\x1b[2J'];
        if (name === 'read' || name === 'readBytes') {
          if (how === 'gone') throw new HostError('Cannot read it: EIO', { code: 'EIO' });
          return name === 'read' ? GARBAGE : Buffer.from(GARBAGE);
        }
        if (name === 'stat' || how === 'gone') return null;
        return name === 'readOptional' ? GARBAGE : '/sys/devices/../x';
      };
    },
  });
}

const GARBAGE = `\xff\0-1 0x${'f'.repeat(40)} 99999999999999999999 <b>\n,,-,:`;

test('everything that looks at a machine stands any of its answers being gone or garbage', () => {
  const host = machine();
  let calls = 0;
  const count = () => {
    calls++;
    return 'true' as const;
  };
  lookAt(spoilt(host, count));
  assert.ok(calls > 500, `${calls} calls`);
  for (const how of ['gone', 'garbage'] as const) {
    for (let at = 0; at < calls; at += 3) lookAt(spoilt(host, (call) => (call === at ? how : 'true')));
  }
});

test('everything that looks at a machine stands many of its answers being gone or garbage', () => {
  const host = machine();
  fc.assert(
    fc.property(fc.infiniteStream(fc.constantFrom('true', 'true', 'true', 'gone', 'garbage')), (stream) => {
      lookAt(spoilt(host, () => stream.next().value as 'true'));
    }),
    { numRuns: 150 },
  );
});

test('a machine that tells nothing at all has nothing, and nobody complains', () => {
  lookAt(spoilt(machine(), () => 'gone'));
});

test('devices knows domains of five digits, and orders them as the kernel counts', () => {
  const host = machine();
  for (const address of ['10000:e1:00.0', '10000:e0:06.0'])
    addPciDevice(host, {
      address,
      vendor: '8086',
      device: '0a54',
      class: '010802',
      group: 99,
      driver: 'nvme',
    });
  const { devices, groups } = readDevicesReport(host, STATE);
  assert.deepEqual(
    devices.slice(-2).map(({ address }) => address),
    ['10000:e0:06.0', '10000:e1:00.0'],
  );
  assert.deepEqual(groups.at(-1)?.addresses, ['10000:e0:06.0', '10000:e1:00.0']);
  lookAt(host);
});

test('1024 CPUs and 4096 functions are looked at in seconds', () => {
  const host = machine();
  putCpus(host, 1024);
  for (let at = 0; at < 4096; at++) {
    const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
    const address = `${hex(1 + (at >> 11), 4)}:${hex((at >> 3) & 0xff, 2)}:00.${at & 7}`;
    addPciDevice(host, {
      address,
      vendor: '15b3',
      device: '1018',
      class: '020000',
      group: 100 + at,
      driver: 'mlx5_core',
    });
  }
  const begun = performance.now();
  lookAt(host);
  const seconds = (performance.now() - begun) / 1000;
  assert.ok(seconds < 30, `${seconds} s`);
  assert.equal(readTopologyReport(host, STATE).threads, 1024);
});
