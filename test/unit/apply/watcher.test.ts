import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readState } from '../../../lib/apply/journal.ts';
import type { WatchOrder } from '../../../lib/apply/watch-order.ts';
import { watchGuest } from '../../../lib/apply/watcher.ts';
import { pciAddress } from '../../../lib/words/pci-address.ts';
import type { FakeHost } from '../../fake/fake-host.ts';
import { addIrqs } from '../../fake/irq-model.ts';
import { driverStep, planOf, prepare, release, STATE, wholeMachine } from '../../fake/whole-machine.ts';

const NIC = pciAddress(0, 1, 0, 0)!;
const VFIO = ['vfio-msix[0](0000:01:00.0)'];
const ORDER: WatchOrder = {
  guest: 'win',
  uuid: 'uuid-win',
  interruptCpus: [4, 5],
  keepEmulatorOff: [4, 5],
  addresses: [NIC],
};

interface Running {
  readonly host: FakeHost;
  readonly qemu: number;
  /** What happens on the machine at the N-th time that the watcher sleeps; in the end QEMU is gone. */
  at(sleep: number, act: () => void): void;
  watch(): Promise<string>;
}

async function running(): Promise<Running> {
  const machine = wholeMachine((host) => host.put('/sys/devices/system/cpu/online', '0-7\n'));
  addIrqs(machine, [], 'ff');
  await prepare(machine, planOf('win', [driverStep(NIC, 'vfio-pci')]));
  const host = machine.restart();
  const qemu = host.spawnProcess(['/usr/bin/qemu-system-x86_64', '-name', 'guest=win,debug-threads=on']);
  const acts = new Map<number, () => void>();
  let sleeps = 0;
  const sleep = host.sleep.bind(host);
  host.sleep = async (ms) => {
    await sleep(ms);
    host.unlock();
    acts.get(++sleeps)?.();
    if (sleeps === 40) host.endProcess(qemu);
  };
  return {
    host,
    qemu,
    at: (at, act) => void acts.set(at, act),
    watch: () => watchGuest(host, STATE, ORDER, 10),
  };
}

function bear(host: FakeHost, irq: number, actions: readonly string[] = VFIO): void {
  addIrqs(host, [{ irq, actions, affinity: '0-3' }]);
  host.put(`/sys/bus/pci/devices/${NIC}/msi_irqs/${irq}`, 'msix\n');
}
function vanish(host: FakeHost, irq: number): void {
  host.drop(`/sys/bus/pci/devices/${NIC}/msi_irqs/${irq}`).drop(`/proc/irq/${irq}`);
}
const affinity = (host: FakeHost, irq: number) => host.peek(`/proc/irq/${irq}/smp_affinity_list`)?.trim();

test("watchGuest() puts interrupts on the guest's CPUs when its driver makes them, and again after a reboot of the guest", async () => {
  const { host, at, watch } = await running();
  const seen: (string | undefined)[] = [];
  at(3, () => bear(host, 40));
  at(6, () => {
    seen.push(affinity(host, 40));
    vanish(host, 40);
  });
  at(8, () => bear(host, 40));
  at(12, () => seen.push(affinity(host, 40)));
  assert.equal(await watch(), 'its QEMU has ended');
  assert.deepEqual(seen, ['4-5', '4-5']);
});

test('watchGuest() leaves alone what a driver of the host handles too, or alone', async () => {
  const { host, at, watch } = await running();
  bear(host, 40, ['e1000e']);
  at(1, () => bear(host, 41, ['vfio-intx(0000:01:00.0)', 'xhci_hcd']));
  await watch();
  assert.equal(affinity(host, 40), '0-3');
  assert.equal(affinity(host, 41), '0-3');
});

test('watchGuest() does not fight for ever with somebody who wants an interrupt elsewhere', async () => {
  const { host, at, watch } = await running();
  bear(host, 40);
  let moves = 0;
  for (let sleep = 1; sleep < 40; sleep++) {
    at(sleep, () => {
      if (affinity(host, 40) !== '4-5') return;
      moves++;
      addIrqs(host, [{ irq: 40, actions: VFIO, affinity: '0-3' }]);
    });
  }
  await watch();
  assert.ok(moves > 2 && moves < 8, `${moves} moves in 40 s`);
});

test("watchGuest() moves QEMU's own threads off the guest's CPUs, but no vCPU and no iothread", async () => {
  const { host, qemu, watch } = await running();
  const threads: readonly [number, string, string][] = [
    [qemu, 'qemu-system-x86', '0-7'],
    [2001, 'CPU 0/KVM', '4'],
    [2002, 'IO iothread1', '0-7'],
    [2003, 'IO mon_iothread', '0-7'],
    [2004, 'worker', '4-5'],
  ];
  for (const [id, comm, list] of threads) {
    host.put(`/proc/${qemu}/task/${id}/comm`, `${comm}\n`);
    host.put(`/proc/${qemu}/task/${id}/status`, `Name:\tx\nCpus_allowed_list:\t${list}\n`);
  }
  const ran: string[] = [];
  host.onRun('taskset', (argv) => void ran.push(argv.join(' ')));
  await watch();
  assert.deepEqual(ran, [`taskset -pc 0-3,6-7 ${qemu}`, 'taskset -pc 0-3,6-7 2003']);
});

test('watchGuest() writes nothing once a release has begun', async () => {
  const { host, at, watch } = await running();
  at(2, () => {
    const [journal] = readState(host, STATE).journals;
    const text = `${JSON.stringify({ t: 'pending', why: 'its release was not completed' })}\n`;
    host.overwrite(journal!.path, journal!.end, text);
    bear(host, 40);
  });
  await watch();
  assert.equal(affinity(host, 40), '0-3');
});

test('watchGuest() ends when the journal is gone', async () => {
  const { host, at, watch } = await running();
  at(2, () => host.drop(`${STATE}/win.jsonl`));
  assert.equal(await watch(), 'the guest holds nothing any more');
});

test('watchGuest() ends at once where the guest has a watcher, or is not prepared', async () => {
  const { host, watch } = await running();
  const other = host.spawnProcess(['node', 'passqemu', 'win', 'watch']);
  const [journal] = readState(host, STATE).journals;
  const line = `${JSON.stringify({ t: 'watcher', pid: other, startTicks: other * 10 })}\n`;
  host.overwrite(journal!.path, journal!.end, line);
  assert.equal(await watch(), `process ${other} watches it`);
  host.drop(`${STATE}/win.jsonl`);
  assert.equal(await watch(), 'the guest is not prepared');
});

test('a release ends the watcher', async () => {
  const { host, watch } = await running();
  await watch();
  assert.equal(readState(host, STATE).journals[0]!.watcher!.pid, host.self().pid);
  const watcher = host.spawnProcess(['node', 'passqemu', 'win', 'watch']);
  const [journal] = readState(host, STATE).journals;
  const line = `${JSON.stringify({ t: 'watcher', pid: watcher, startTicks: watcher * 10 })}\n`;
  host.overwrite(journal!.path, journal!.end, line);
  await release(host.restart(), 'win');
  assert.equal(host.peek(`/proc/${watcher}/stat`), null);
});
