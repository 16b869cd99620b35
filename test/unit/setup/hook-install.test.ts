import assert from 'node:assert/strict';
import { test } from 'node:test';
import { installHook, readHookStatus, uninstallHook } from '../../../lib/setup/hook-install.ts';
import { installRecoverUnit, RECOVER_UNIT, uninstallRecoverUnit } from '../../../lib/setup/recover-unit.ts';
import { FakeHost } from '../../fake/fake-host.ts';

const BUNDLE =
  '#!/bin/sh\n":" /* passqemu, hook for libvirt. The lines …\nnode=/usr/bin/node\nexec "$node"\n*/\ncode\n';
const NODE = '/usr/bin/node';
const FOLDER_PLACE = '/etc/libvirt/hooks/qemu.d/passqemu';
const FILE_PLACE = '/etc/libvirt/hooks/qemu';

function machine(version: string, program = 'libvirtd'): { host: FakeHost; ran: string[] } {
  const host = new FakeHost();
  const ran: string[] = [];
  host.put(NODE, 'ELF', 0o755).put(`/usr/sbin/${program}`, 'ELF', 0o755);
  host.onRun(`/usr/sbin/${program}`, () => ({ stdout: `${program} (libvirt) ${version}\n` }));
  host.spawnProcess([`/usr/sbin/${program}`]);
  for (const name of ['kill', 'systemctl']) host.onRun(name, (argv) => void ran.push(argv.join(' ')));
  return { host, ran };
}

for (const [version, place] of [
  ['9.0.0', FOLDER_PLACE],
  ['6.5.0', FOLDER_PLACE],
  ['6.4.0', FILE_PLACE],
  ['5.10.0', FILE_PLACE],
] as const) {
  test(`installHook() for libvirt ${version} writes ${place} with node's absolute path and reloads the daemon`, async () => {
    const { host, ran } = machine(version);
    const { status, written } = await installHook(host, BUNDLE, NODE);
    assert.deepEqual([status.place, status.state, written], [place, 'installed', true]);
    assert.match(host.peek(place)!, /^node='\/usr\/bin\/node'$/m);
    assert.match(ran[0]!, /^kill -HUP \d+$/);
  });
}

test('installHook() a second time changes nothing and reloads nothing', async () => {
  const { host, ran } = machine('9.0.0');
  await installHook(host, BUNDLE, NODE);
  ran.length = 0;
  assert.equal((await installHook(host, BUNDLE, NODE)).written, false);
  assert.deepEqual(ran, []);
});

test('installHook() finds the split daemon and asks systemd to reload it', async () => {
  const { host, ran } = machine('11.3.0', 'virtqemud');
  host.putFolder('/run/systemd/system');
  const { status } = await installHook(host, BUNDLE, NODE);
  assert.deepEqual(status.daemon, { name: 'virtqemud', version: '11.3.0', running: true });
  assert.deepEqual(ran, ['systemctl reload virtqemud']);
});

test('installHook() never writes over a hook of somebody else', async () => {
  const { host } = machine('6.0.0');
  host.put(FILE_PLACE, '#!/bin/sh\necho mine\n', 0o755);
  await assert.rejects(installHook(host, BUNDLE, NODE), /hooks\/qemu is somebody else’s/);
  assert.equal(host.peek(FILE_PLACE), '#!/bin/sh\necho mine\n');
  assert.deepEqual(uninstallHook(host), []);
});

test('installHook() refuses a node that others could replace', async () => {
  const { host } = machine('9.0.0');
  host.put('/home/me/node', 'ELF', 0o777);
  await assert.rejects(installHook(host, BUNDLE, '/home/me/node'), { exitCode: 1 });
  assert.equal(host.peek(FOLDER_PLACE), null);
});

test('readHookStatus() tells missing, stale, not executable and foreign apart', async () => {
  const { host } = machine('9.0.0');
  const state = async () => (await readHookStatus(host, BUNDLE, NODE)).state;
  assert.equal(await state(), 'missing');
  await installHook(host, BUNDLE, NODE);
  assert.equal(await state(), 'installed');
  host.put(FOLDER_PLACE, `${BUNDLE}old`, 0o755);
  assert.equal(await state(), 'stale');
  host.put(FOLDER_PLACE, BUNDLE, 0o644);
  assert.equal(await state(), 'not executable');
  host.put(FOLDER_PLACE, 'else', 0o755);
  assert.equal(await state(), 'foreign');
});

test('uninstallHook() and uninstallRecoverUnit() leave nothing', async () => {
  const { host } = machine('9.0.0');
  host.putFolder('/run/systemd/system');
  const before = host.tree.dump().filter((line) => line.startsWith('/etc'));
  await installHook(host, BUNDLE, NODE);
  assert.equal(await installRecoverUnit(host, '/usr/local/bin/passqemu'), true);
  assert.equal(await installRecoverUnit(host, '/usr/local/bin/passqemu'), false);
  assert.match(host.peek(RECOVER_UNIT)!, /^ExecStart=\/usr\/local\/bin\/passqemu recover --quiet$/m);
  assert.deepEqual(uninstallHook(host), [FOLDER_PLACE]);
  assert.equal(await uninstallRecoverUnit(host), true);
  assert.deepEqual(
    host.tree.dump().filter((line) => line.startsWith('/etc')),
    before,
  );
});
