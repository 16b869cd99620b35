import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { keepInterrupts } from '../../../launchers/run-interrupts.ts';
import { parseSourcedProfile } from '../../../lib/inputs/read-profile.ts';
import { pciAddress } from '../../../lib/words/pci-address.ts';
import { addIrqs } from '../../fake/irq-model.ts';
import { driverStep, planOf, prepare, STATE, wholeMachine } from '../../fake/whole-machine.ts';

const NIC = pciAddress(0, 1, 0, 0)!;

for (const [cpu, wanted] of [
  ['guest = 4-6', '4-5'],
  ['guest = 4-6\nirqs = no', '0-3'],
] as const)
  test(`keepInterrupts() with ${JSON.stringify(cpu)} leaves a VFIO interrupt of the guest on ${wanted}`, async () => {
    const machine = wholeMachine((host) => host.put('/sys/devices/system/cpu/online', '0-7\n'));
    addIrqs(machine, [], 'ff');
    await prepare(machine, planOf('win', [driverStep(NIC, 'vfio-pci')]));
    const host = machine.restart();
    const pid = host.spawnProcess(['/usr/bin/qemu-system-x86_64', '-name', 'guest=win']);
    addIrqs(host, [{ irq: 40, actions: ['vfio-msix[0](0000:01:00.0)'], affinity: '0-3' }]);
    host.put(`/sys/bus/pci/devices/${NIC}/msi_irqs/40`, 'msix\n');
    const { profile } = parseSourcedProfile(`[cpu]\n${cpu}\n`, {
      guest: 'win',
      path: '/etc/passqemu/win.ini',
    });
    const qemu = { pid, startTicks: pid * 10 };
    const letGo = keepInterrupts(host, STATE, { guest: 'win', profile }, qemu, [[4], [5]]);
    await wait(20);
    letGo();
    assert.equal(host.peek('/proc/irq/40/smp_affinity_list')?.trim(), wanted);
  });
