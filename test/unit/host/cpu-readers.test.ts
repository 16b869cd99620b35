import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listChildCgroups, readCgroupMode, readEffectiveCpus } from '../../../lib/host/cgroups.ts';
import { forgetsAffinities, readCpuPicture } from '../../../lib/host/cpu-picture.ts';
import { readCpuRivals } from '../../../lib/host/cpu-rivals.ts';
import { isLoadableGovernor, parsePolicyCpus, readPolicies } from '../../../lib/host/cpufreq.ts';
import { readIrqs } from '../../../lib/host/irqs.ts';
import { readCpuNumbers } from '../../../lib/host/online-cpus.ts';
import { parseAllowedCpus, readAllowedCpus } from '../../../lib/host/systemd.ts';
import { parseAllowedList, readAllPinnedTasks, readPinnedTasksInCgroups } from '../../../lib/host/tasks.ts';
import { cpuMachine, cpuProfile } from '../../fake/cpu-machine.ts';
import { addCgroups, addCpus, addIrqs, addPolicies, addTasks } from '../../fake/cpu-model.ts';
import { FakeHost } from '../../fake/fake-host.ts';

test('readCpuNumbers() reads lists with strides and trailing NULs, and does with what there is', () => {
  const host = new FakeHost();
  host.put('/sys/devices/system/cpu/online', '0-6:2\n\0\0');
  assert.deepEqual(readCpuNumbers(host), {
    online: [0, 2, 4, 6],
    present: [0, 2, 4, 6],
    possible: [0, 2, 4, 6],
  });
});

test('readPolicies() reads the policies of the CPUs asked for, each once', () => {
  const host = new FakeHost();
  addCpus(host, { online: '0-5' });
  addPolicies(host, [
    { cpus: '0-1' },
    {
      cpus: '2-3',
      energy: 'power',
      driver: 'amd-pstate-epp',
      governor: 'powersave',
      governors: 'performance powersave',
    },
  ]);
  assert.deepEqual(readPolicies(host, [2, 3, 5]), [
    {
      name: 'policy2',
      cpus: [2, 3],
      driver: 'amd-pstate-epp',
      governor: 'powersave',
      governors: ['performance', 'powersave'],
      energy: 'power',
      energies: ['default', 'performance', 'balance_performance', 'balance_power', 'power'],
    },
  ]);
});

test('parsePolicyCpus() reads numbers with blanks between them', () => {
  assert.deepEqual(parsePolicyCpus('4 5 12'), [4, 5, 12]);
  assert.deepEqual(parsePolicyCpus(''), []);
});

test('isLoadableGovernor() finds a governor that is a module, packed or not, and builds no path from odd names', () => {
  const host = new FakeHost();
  host.put('/proc/sys/kernel/osrelease', '6.1.0-56-amd64\n');
  host.put('/lib/modules/6.1.0-56-amd64/kernel/drivers/cpufreq/cpufreq_ondemand.ko.xz', '');
  host.put('/lib/modules/6.1.0-56-amd64/kernel/drivers/evil.ko', '');
  assert.equal(isLoadableGovernor(host, 'ondemand'), true);
  assert.equal(isLoadableGovernor(host, 'conservative'), false);
  assert.equal(isLoadableGovernor(host, '/../../evil'), false);
});

test('readIrqs() names who handles an interrupt and leaves out what nobody handles', () => {
  const host = new FakeHost();
  addCpus(host, { online: '0-7' });
  addIrqs(host, [
    { irq: 16, actions: ['uhci_hcd:usb1', 'i801_smbus'], affinity: '4-7' },
    { irq: 9, actions: ['acpi'], affinity: '0-7' },
    { irq: 27, affinity: '0-7' },
  ]);
  assert.deepEqual(readIrqs(host), [
    { irq: 9, actions: ['acpi'], affinity: [0, 1, 2, 3, 4, 5, 6, 7], effective: [0] },
    { irq: 16, actions: ['i801_smbus', 'uhci_hcd:usb1'], affinity: [4, 5, 6, 7], effective: [4] },
  ]);
});

test('readCgroupMode() tells the versions apart', () => {
  const put = (...paths: string[]) => paths.reduce((host, path) => host.put(path, '\n'), new FakeHost());
  assert.equal(readCgroupMode(put('/sys/fs/cgroup/cgroup.controllers')), 'v2');
  assert.equal(
    readCgroupMode(put('/sys/fs/cgroup/unified/cgroup.controllers', '/sys/fs/cgroup/cpuset/tasks')),
    'hybrid',
  );
  assert.equal(readCgroupMode(put('/sys/fs/cgroup/cpuset/tasks')), 'v1');
  assert.equal(readCgroupMode(new FakeHost()), 'none');
});

test('listChildCgroups() and readEffectiveCpus() walk the tree', () => {
  const host = cpuMachine({ systemd: true, forgets: false });
  assert.deepEqual(listChildCgroups(host, ''), ['init.scope', 'machine.slice', 'system.slice', 'user.slice']);
  assert.deepEqual(listChildCgroups(host, 'system.slice'), ['system.slice/ssh.service']);
  host.put('/sys/fs/cgroup/user.slice/cpuset.cpus.effective', '0-3\n');
  assert.deepEqual(readEffectiveCpus(host, '/user.slice/user-1000.slice'), [0, 1, 2, 3]);
  assert.deepEqual(readEffectiveCpus(host, 'system.slice'), [0, 1, 2, 3, 4, 5, 6, 7]);
});

test('parseAllowedCpus() adds lists up, and an empty one starts anew', () => {
  const cases: [string, number[], number[]][] = [
    ['[Slice]\nAllowedCPUs=\nAllowedCPUs=0-3 6\n', [9], [0, 1, 2, 3, 6]],
    ['AllowedCPUs = 0,2\nAllowedCPUs=4', [9], [0, 2, 4, 9]],
    ['AllowedCPUs=0-3\nAllowedCPUs=', [9], []],
    ['AllowedCPUs=nonsense\n', [9], [9]],
    ['#AllowedCPUs=1\nStartupAllowedCPUs=1\n', [], []],
  ];
  for (const [text, before, cpus] of cases) assert.deepEqual(parseAllowedCpus(text, before), cpus, text);
});

test('readAllowedCpus() puts a unit’s files together as systemd does', () => {
  const host = new FakeHost();
  host.put('/usr/lib/systemd/system/user.slice', '[Slice]\nAllowedCPUs=0\n');
  host.put('/etc/systemd/system/user.slice', '[Slice]\n');
  host.put('/usr/lib/systemd/system/slice.d/10-vendor.conf', '[Slice]\nAllowedCPUs=7\n');
  host.put('/etc/systemd/system/slice.d/10-vendor.conf', '[Slice]\n');
  host.put('/etc/systemd/system/user.slice.d/10-admin.conf', '[Slice]\nAllowedCPUs=0-5\n');
  assert.deepEqual(readAllowedCpus(host, 'user.slice'), { allowed: '0-5', stronger: null });
  host.put(
    '/run/systemd/system.control/user.slice.d/50-AllowedCPUs.conf',
    '[Slice]\nAllowedCPUs=\nAllowedCPUs=0-2\n',
  );
  assert.deepEqual(readAllowedCpus(host, 'user.slice'), { allowed: '0-2', stronger: null });
  host.put('/etc/systemd/system/user.slice.d/90-late.conf', '[Slice]\nAllowedCPUs=6\n');
  assert.deepEqual(readAllowedCpus(host, 'user.slice'), {
    allowed: '0-2,6',
    stronger: '/etc/systemd/system/user.slice.d/90-late.conf',
  });
});

test('readAllowedCpus() knows that a persistent setting hides a run-time one of the same name', () => {
  const host = new FakeHost();
  const persistent = '/etc/systemd/system.control/system.slice.d/50-AllowedCPUs.conf';
  host.put('/run/systemd/system.control/system.slice.d/50-AllowedCPUs.conf', 'AllowedCPUs=0-2\n');
  host.put(persistent, 'AllowedCPUs=0-5\n');
  assert.deepEqual(readAllowedCpus(host, 'system.slice'), { allowed: '0-5', stronger: persistent });
});

test('readPinnedTasksInCgroups() finds pinned tasks below the root, and no kernel threads', () => {
  const host = cpuMachine({ systemd: true, forgets: true });
  const pinned = readPinnedTasksInCgroups(host, readCpuNumbers(host));
  assert.deepEqual([...pinned].sort(), [
    ['102:1020', '1'],
    ['103:1030', '2-5'],
    ['104:1040', '6'],
    ['105:1050', '3'],
  ]);
});

test('readAllPinnedTasks() finds kernel threads too, but none that cannot be pinned, nor tasks that only have their cgroup’s CPUs', () => {
  const host = new FakeHost();
  addCpus(host, { online: '0-7' });
  addCgroups(host, ['svc'], { subtree: 'cpuset' });
  host.write('/sys/fs/cgroup/svc/cpuset.cpus', '0-1');
  addTasks(
    host,
    { pid: 11, name: 'free', cgroup: '' },
    { pid: 12, name: 'confined', cgroup: 'svc' },
    { pid: 13, name: 'kswapd0', cgroup: '', pin: '0-3', kernel: true },
    { pid: 14, name: 'migration/1', cgroup: '', pin: '1', kernel: true, fixed: true },
    { pid: 15, name: 'a) (b 1 2', cgroup: 'svc', pin: '1' },
  );
  assert.deepEqual(
    [...readAllPinnedTasks(host, readCpuNumbers(host))],
    [
      ['13:130', '0-3'],
      ['15:150', '1'],
    ],
  );
});

test('parseAllowedList() reads the list and not the mask beside it', () => {
  assert.deepEqual(
    parseAllowedList('Cpus_allowed:\tff\nCpus_allowed_list:\t0-1,4\nMems_allowed_list:\t0\n'),
    [0, 1, 4],
  );
  assert.equal(parseAllowedList('State:\tZ (zombie)\n'), null);
});

test('forgetsAffinities() is right about kernels before and after 6.2', () => {
  const releases = {
    '6.1.0-56-amd64': true,
    '5.15.0-generic': true,
    '6.2.0': false,
    '6.12.95': false,
    '10.0.1': false,
    '': true,
  };
  for (const [release, forgets] of Object.entries(releases))
    assert.equal(forgetsAffinities(release), forgets, release);
});

test('readCpuRivals() finds services by cgroup, socket and file', () => {
  const host = new FakeHost();
  assert.deepEqual(readCpuRivals(host), []);
  host.putFolder('/sys/fs/cgroup/system.slice/tuned.service');
  host.put('/run/irqbalance/irqbalance812.sock', '');
  host.put('/run/tlp/last_pwr', '0');
  assert.deepEqual(readCpuRivals(host).sort(), ['irqbalance', 'tlp', 'tuned']);
});

test('readCpuPicture() reads next to nothing for a guest without CPUs of its own', () => {
  const host = cpuMachine({ systemd: true, forgets: true });
  const before = host.calls.length;
  const picture = readCpuPicture(host, cpuProfile(null), null);
  assert.deepEqual(
    { control: picture.control, policies: picture.policies, rivals: picture.rivals },
    { control: null, policies: [], rivals: [] },
  );
  assert.ok(host.calls.length - before <= 4, host.calls.slice(before).join('\n'));
});

test('readCpuPicture() tells why a machine cannot be kept off CPUs', () => {
  const host = new FakeHost();
  addCpus(host, { online: '0-7' });
  host.put('/sys/fs/cgroup/cpuset/tasks', '\n');
  const picture = readCpuPicture(host, cpuProfile('4-7'), null);
  assert.equal(picture.control?.by, null);
  assert.match(picture.control?.by === null ? picture.control.why : '', /version 1/);
  host.drop('/sys/fs/cgroup').put('/sys/fs/cgroup/cgroup.controllers', 'cpu memory\n');
  const without = readCpuPicture(host, cpuProfile('4-7'), null).control;
  assert.match(without?.by === null ? without.why : '', /no cpuset controller/);
});
