import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDeviceNodes } from '../../../lib/host/device-nodes.ts';
import { findHolders } from '../../../lib/host/holders.ts';
import { openNode } from '../../fake/device-model.ts';
import type { FakeHost } from '../../fake/fake-host.ts';
import { labMachine } from '../../fake/lab-machine.ts';
import { pci } from '../../fake/pci-model.ts';

function scan(host: FakeHost, ...addresses: readonly string[]) {
  return findHolders(host, readDeviceNodes(host, addresses.map(pci)));
}

test('findHolders() names process, unit and node of whoever has one open', () => {
  const host = labMachine();
  const session = '/user.slice/user-1000.slice/user@1000.service/app.slice/app-firefox-77.scope';
  const firefox = openNode(host, 'firefox', '/dev/dri/card1', session);
  openNode(host, 'bash', '/dev/tty1');
  const wireplumber = openNode(
    host,
    'wireplumber',
    '/dev/snd/controlC0',
    '/system.slice/wireplumber.service/sub',
  );
  assert.deepEqual(scan(host, '0000:04:00.0', '0000:04:00.1'), {
    holders: [
      { pid: firefox, comm: 'firefox', unit: 'app-firefox-77.scope', key: 'c226:1' },
      { pid: wireplumber, comm: 'wireplumber', unit: 'wireplumber.service', key: 'c116:6' },
    ],
    unseen: 0,
  });
});

test('findHolders() goes by device number: a node of another name in another namespace counts', () => {
  const host = labMachine();
  host.putDevice('/var/lib/container/dev/gpu', 'character', '226:1');
  const pid = openNode(host, 'python', '/var/lib/container/dev/gpu');
  assert.deepEqual(scan(host, '0000:04:00.0').holders, [{ pid, comm: 'python', unit: null, key: 'c226:1' }]);
});

test('findHolders() does not take a character device for the block device of the same number', () => {
  const host = labMachine();
  host.putDevice('/dev/rtc9', 'character', '259:0');
  openNode(host, 'hwclock', '/dev/rtc9');
  assert.deepEqual(scan(host, '0000:02:00.0').holders, []);
});

test('findHolders() finds what is mapped though no longer open', () => {
  const host = labMachine();
  const pid = openNode(host, 'game', '/dev/null');
  host.put(
    `/proc/${pid}/maps`,
    '00400000-00452000 r-xp 00000000 08:02 173521 /usr/bin/game\n' +
      '7f0000000000-7f0000100000 rw-s 00000000 00:05 300 /dev/dri/card1\n' +
      '7f0000200000-7f0000300000 rw-s 00000000 00:05 300 /dev/shm/x\n',
  );
  host.putLink(`/proc/${pid}/map_files/7f0000000000-7f0000100000`, '/dev/dri/card1');
  assert.deepEqual(scan(host, '0000:04:00.0').holders, [{ pid, comm: 'game', unit: null, key: 'c226:1' }]);
  host.drop(`/proc/${pid}/map_files`).putLink(`/proc/${pid}/root`, '/');
  assert.equal(scan(host, '0000:04:00.0').holders.length, 1);
});

test('findHolders() looks at no process where there is no node to hold', () => {
  const host = labMachine();
  assert.deepEqual(scan(host, '0000:01:00.0'), { holders: [], unseen: 0 });
  assert.equal(
    host.calls.some((call) => call === 'list /proc'),
    false,
  );
});

test('findHolders() passes over itself and shows no process name that a terminal would obey', () => {
  const host = labMachine();
  host.putLink(`/proc/${host.self().pid}/fd/9`, '/dev/dri/card1');
  const pid = openNode(host, 'evil', '/dev/dri/card1');
  host.put(`/proc/${pid}/comm`, 'a\x1b[2Jb\n');
  assert.deepEqual(
    scan(host, '0000:04:00.0').holders.map(({ comm }) => comm),
    ['a [2Jb'],
  );
});

test('findHolders() counts the processes that an ordinary user cannot look into', () => {
  const host = labMachine();
  host.spawnProcess(['other']);
  const kernelThread = host.spawnProcess(['kworker']);
  host.put(`/proc/${kernelThread}/cmdline`, '');
  host.putFolder('/proc/self');
  const asUser = new Proxy(host, {
    get(target, name) {
      if (name === 'stat') {
        return (path: string, follow?: 'follow') => {
          const facts = target.stat(path, follow);
          return facts === null || path !== '/proc/self' ? facts : { ...facts, uid: 1000 };
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  assert.deepEqual(scan(asUser, '0000:04:00.0'), { holders: [], unseen: 1 });
});
