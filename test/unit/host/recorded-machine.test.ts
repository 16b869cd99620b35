import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readDevicesReport } from '../../../launchers/devices-report.ts';
import { RealHost } from '../../../lib/host/real-host.ts';
import { putMounts } from '../../fake/device-model.ts';
import { labMachine } from '../../fake/lab-machine.ts';
import { writeTree } from '../../fake/write-tree.ts';
import { planOn } from '../plan/plan-on.ts';

test('a recorded machine below a folder reads as the machine itself did', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'passqemu-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const machine = labMachine();
  putMounts(machine, '259:0 / /srv ext4 /dev/nvme0n1', '8:0 / /media/stick vfat /dev/sda');
  machine.put('/proc/net/route', 'Iface\nenp1s0\t00000000\t0108090A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n');
  writeTree(machine, folder);
  const recorded = new RealHost(folder, () => {});
  assert.deepEqual(readDevicesReport(recorded, '/run/passqemu'), readDevicesReport(machine, '/run/passqemu'));
  const wanted = {
    devices: { disk: 'serial LABNVME0', nic: 'mac 52:54:00:aa:00:01', gpu: 'gpu', sound: '04:00.1' },
  };
  assert.deepEqual(planOn(recorded, wanted), planOn(machine, wanted));
  assert.equal(planOn(recorded, wanted).refusals.length, 2);
});
