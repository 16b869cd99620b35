import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseQemuName, readMappedKib, readQemuProcesses } from '../../../lib/host/qemu-processes.ts';
import { FakeHost } from '../../fake/fake-host.ts';

const names: [argument: string | null, name: string | null][] = [
  ['guest=win10,debug-threads=on', 'win10'],
  ['win10,process=x', 'win10'],
  ['debug-threads=on,guest=b c-d', 'b c-d'],
  ['guest=a,,b,debug-threads=on', 'a,b'],
  ['guest=a=b', 'a=b'],
  ['debug-threads=on', null],
  ['', null],
  [null, null],
];
for (const [argument, name] of names) {
  test(`parseQemuName() reads ${JSON.stringify(argument)} as ${JSON.stringify(name)}`, () => {
    assert.equal(parseQemuName(argument), name);
  });
}

test('parseQemuName() finds every name that libvirt writes', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1 }).filter((name) => !name.startsWith('guest=')),
      (name) => {
        assert.equal(parseQemuName(`guest=${name.replaceAll(',', ',,')},debug-threads=on`), name);
      },
    ),
  );
});

test('readQemuProcesses() finds QEMU by its program, with its huge pages', () => {
  const host = new FakeHost();
  const argv = ['/usr/bin/qemu-system-x86_64', '-name', 'guest=a,debug-threads=on', '-uuid', 'u-1'];
  const pid = host.spawnProcess(argv);
  host.put(`/proc/${pid}/status`, 'Name:\tqemu\nHugetlbPages:\t  4096 kB\nThreads:\t3\n');
  const bare = host.spawnProcess(['/usr/libexec/qemu-kvm']);
  const kvm = host.spawnProcess(['/usr/bin/kvm', '-name', 'c']);
  host.spawnProcess(['grep', 'qemu-system-x86_64', '-name', 'guest=a']);
  assert.deepEqual(readQemuProcesses(host), [
    { pid, guest: 'a', uuid: 'u-1', hugetlbKib: 4096 },
    { pid: bare, guest: null, uuid: null, hugetlbKib: 0 },
    { pid: kvm, guest: 'c', uuid: null, hugetlbKib: 0 },
  ]);
  assert.deepEqual(
    [...readMappedKib(host)],
    [
      ['a', 4096],
      ['c', 0],
    ],
  );
});
