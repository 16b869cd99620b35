import { test } from 'node:test';
import type { PlanPart } from '../../../lib/plan/part.ts';
import { type CpuMachine, cpuMachine, dumpCpus, planFor } from '../../fake/cpu-machine.ts';
import { type Case, dieEverywhere, failEverywhere } from '../../fake/crash.ts';
import type { FakeHost } from '../../fake/fake-host.ts';
import { planOf, prepare, release } from '../../fake/whole-machine.ts';

const MACHINES: readonly CpuMachine[] = [
  { systemd: true, forgets: false },
  { systemd: true, forgets: true },
  { systemd: false, forgets: false },
  { systemd: false, forgets: true },
];
const CODES = ['EIO', 'EBUSY', 'ENOSPC'];

const plans = new Map<string, PlanPart>();

/** Plans as on a fresh machine: what is read for it is not what the faults are about. */
function planned(about: CpuMachine, cpus: string): PlanPart {
  const key = `${JSON.stringify(about)} ${cpus}`;
  const plan =
    plans.get(key) ?? planFor(cpuMachine(about), cpus, { energy: cpus === '4-5' ? 'performance' : null });
  plans.set(key, plan);
  return plan;
}

async function start(host: FakeHost, about: CpuMachine, guest: string, cpus: string): Promise<void> {
  await prepare(host, planOf(guest, planned(about, cpus).steps));
}

for (const about of MACHINES) {
  const name = `${about.systemd ? 'systemd' : 'no systemd'}, kernel ${about.forgets ? '6.1' : '6.12'}`;

  const preparing: Case = {
    name,
    build: () => cpuMachine(about),
    act: (host) => start(host, about, 'one', '4-5'),
    mend: async (host) => {
      await release(host, 'one');
      await release(host, 'one');
    },
    dump: dumpCpus,
  };
  test(`CPU steps: prepare that dies or fails at any call is undone (${name})`, async () => {
    await dieEverywhere(preparing);
    await failEverywhere(preparing, CODES);
  });

  const releasing: Case = {
    ...preparing,
    build: () => cpuMachine(about),
    act: async (host) => {
      await quietly(host, () => start(host, about, 'one', '4-5'));
      await release(host, 'one');
    },
  };
  test(`CPU steps: release that dies or fails at any call is finished by the next (${name})`, async () => {
    await dieEverywhere(releasing);
    await failEverywhere(releasing, CODES);
  });

  for (const [first, second] of [
    ['one', 'two'],
    ['two', 'one'],
  ] as const) {
    test(`CPU steps: two guests, ${first} released first and dying anywhere (${name})`, async () => {
      await dieEverywhere({
        ...preparing,
        act: async (host) => {
          await quietly(host, async () => {
            await start(host, about, 'one', '4-5');
            await start(host, about, 'two', '6-7');
          });
          await release(host, first);
        },
        mend: async (host) => {
          await release(host, second);
          await release(host, first);
        },
      });
    });
  }
}

/** Does something before the fault counts. */
async function quietly(host: FakeHost, act: () => Promise<void>): Promise<void> {
  const { fault } = host;
  host.fault = null;
  await act();
  host.calls.length = 0;
  host.fault = fault;
}
