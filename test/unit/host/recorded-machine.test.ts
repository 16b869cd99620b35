import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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

test('a recorded machine below a folder is read within it: links that lead out and pipes are as good as absent', (context) => {
  const top = mkdtempSync(join(tmpdir(), 'passqemu-'));
  context.after(() => rmSync(top, { recursive: true }));
  const folder = join(top, 'machine');
  mkdirSync(join(folder, 'sys'), { recursive: true });
  writeFileSync(join(top, 'secret'), 'hunter2\n');
  writeFileSync(join(folder, 'sys/value'), '1\n');
  symlinkSync('../../secret', join(folder, 'sys/out'));
  symlinkSync(join(top, 'secret'), join(folder, 'sys/absolute'));
  symlinkSync('../..', join(folder, 'sys/above'));
  symlinkSync('value', join(folder, 'sys/inside'));
  execFileSync('mkfifo', [join(folder, 'sys/pipe')]);
  const host = new RealHost(folder, () => {});
  const told = (name: string) => [host.readOptional(`/sys/${name}`), host.exists(`/sys/${name}`)];
  assert.deepEqual(['value', 'inside', 'out', 'absolute', 'above/secret', 'pipe'].map(told), [
    ['1', true],
    ['1', true],
    [null, false],
    [null, false],
    [null, false],
    [null, true],
  ]);
  assert.deepEqual(host.list('/sys/above'), []);
  assert.equal(host.stat('/sys/out', 'follow'), null);
  assert.throws(() => host.readBytes('/sys/out'), { code: 'EXDEV' });
});
