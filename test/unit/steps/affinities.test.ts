import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Step } from '../../../lib/words/step.ts';
import { cpuMachine } from '../../fake/cpu-machine.ts';
import { addTasks, taskCpus } from '../../fake/cpu-model.ts';
import type { FakeHost } from '../../fake/fake-host.ts';
import { Guests } from '../../fake/guests.ts';

const TASKS = [102, 103, 104];

function steps(systemd: boolean, guestCpus: string): Step[] {
  const face = { target: 'x', from: null, to: null };
  const scope = systemd ? 'cgroups' : 'all';
  return [
    { kind: 'affinities', role: 'remember', scope, ...face },
    systemd
      ? { kind: 'slice', unit: 'system.slice', guestCpus, ...face }
      : { kind: 'partition', cgroup: 'machine', guestCpus, ...face },
    { kind: 'affinities', role: 'mend', scope, ...face },
  ];
}

async function prepare(guests: Guests, guest: string, systemd: boolean, cpus: string): Promise<void> {
  for (const step of steps(systemd, cpus)) await guests.prepare(guest, step);
}

function pins(host: FakeHost, ...more: number[]): string[] {
  return [...TASKS, ...more].map((pid) => taskCpus(host, pid));
}

for (const systemd of [true, false]) {
  const name = systemd ? 'slices' : 'a partition';

  test(`affinities are put right around ${name} on a kernel that forgets them`, async () => {
    const host = cpuMachine({ systemd, forgets: true });
    const guests = new Guests(host);
    assert.deepEqual(pins(host), ['1', '2-5', '6']);
    await prepare(guests, 'a', systemd, '4-7');
    // 104 is in another slice than the one that is narrowed; in a partition it can only wait
    assert.deepEqual(pins(host), ['1', '2-3', systemd ? '6' : '0-3']);
    await guests.release('a');
    assert.deepEqual(pins(host), ['1', '2-5', '6']);
    assert.deepEqual(guests.notes, []);
  });

  test(`affinities of two guests around ${name}, in either order`, async () => {
    for (const [first, second] of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const) {
      const host = cpuMachine({ systemd, forgets: true });
      const guests = new Guests(host);
      await prepare(guests, 'a', systemd, '4-5');
      await prepare(guests, 'b', systemd, '6-7');
      assert.deepEqual(pins(host).slice(0, 2), ['1', '2-3']);
      await guests.release(first);
      await guests.release(second);
      assert.deepEqual(pins(host), ['1', '2-5', '6'], `${first} first`);
    }
  });

  test(`affinities that came while the guest ran survive the end of ${name}`, async () => {
    const host = cpuMachine({ systemd, forgets: true });
    const guests = new Guests(host);
    await prepare(guests, 'a', systemd, '4-7');
    addTasks(host, { pid: 400, name: 'new', cgroup: systemd ? 'system.slice/ssh.service' : '', pin: '2' });
    await host.run(['taskset', '-pc', '0', '102'], { timeoutMs: 1 });
    await guests.release('a');
    assert.deepEqual(pins(host, 400), ['0', '2-5', '6', '2']);
  });
}

test('affinities of a number that another task has by now are left alone', async () => {
  const host = cpuMachine({ systemd: false, forgets: true });
  const guests = new Guests(host);
  await prepare(guests, 'a', false, '4-7');
  addTasks(host, { pid: 102, name: 'other', cgroup: '', startTicks: 999_999 });
  const from = host.calls.length;
  await guests.release('a');
  assert.ok(!host.calls.slice(from).some((call) => call.startsWith('run taskset') && call.endsWith(' 102')));
});

test('affinities cost no program where the kernel remembers them', async () => {
  const host = cpuMachine({ systemd: false, forgets: false });
  const guests = new Guests(host);
  await prepare(guests, 'a', false, '4-7');
  await guests.release('a');
  assert.deepEqual(
    host.calls.filter((call) => call.startsWith('run ')),
    // The kernel's own thread, which even these kernels let loose
    ['run taskset -pc 4-7 201'],
  );
});
