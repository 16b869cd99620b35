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
/** What steps take for an answer of the kernel in one place or another, so that it must not be taken for one elsewhere. */
const ANSWERS = ['EBUSY', 'ENOSPC'];
const CHANGES = /^(?:write|remove|makeFolder|replaceFile|run|exchange) /;

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

// The older kernel's steps are all of the newer one's and more: the long ones are for it alone
for (const about of MACHINES) {
  const name = `${about.systemd ? 'systemd' : 'no systemd'}, kernel ${about.forgets ? '6.1' : '6.12'}`;
  const before = dumpCpus(cpuMachine(about));

  const preparing: Case = {
    name,
    build: () => cpuMachine(about),
    act: (host) => start(host, about, 'one', '4-5'),
    mend: async (host) => {
      await release(host, 'one');
      await release(host, 'one');
    },
    dump: dumpCpus,
    expected: () => before,
  };
  const releasing: Case = {
    ...preparing,
    build: () => prepared(about, ['one', '4-5']),
    act: (host) => release(host, 'one'),
  };
  for (const [what, one] of Object.entries({ prepare: preparing, release: releasing })) {
    test(`CPU steps: ${what} that dies at any call is put right by release (${name})`, async () => {
      await dieEverywhere(one);
    });
    test(`CPU steps: ${what} in which a call fails is put right by release (${name})`, async () => {
      await failEverywhere(one, ANSWERS, CHANGES);
      await failEverywhere(one, ['EIO'], about.forgets ? /./ : CHANGES);
    });
  }

  if (!about.forgets) continue;
  for (const [first, second] of [
    ['one', 'two'],
    ['two', 'one'],
  ] as const) {
    test(`CPU steps: two guests, ${first} released first and dying anywhere (${name})`, async () => {
      await dieEverywhere({
        ...preparing,
        build: () => prepared(about, ['one', '4-5'], ['two', '6-7']),
        act: (host) => release(host, first),
        mend: async (host) => {
          await release(host, second);
          await release(host.restart(), first);
        },
      });
    });
  }
}

/** A machine on which guests have been prepared, by a process that is gone. */
async function prepared(
  about: CpuMachine,
  ...guests: readonly (readonly [string, string])[]
): Promise<FakeHost> {
  let host = cpuMachine(about);
  for (const [guest, cpus] of guests) {
    await start(host, about, guest, cpus);
    host = host.restart();
  }
  return host;
}
