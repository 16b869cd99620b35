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
  host.put('/proc/stat', 'cpu 0\nbtime 1000\n').spawnProcess([`/usr/sbin/${program}`]);
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
  for (const name of ['qemu.prepare.1', 'passqemu.run.1']) host.put(`/var/cache/passqemu/code/${name}`, 'x');
  await installHook(host, BUNDLE, NODE);
  assert.equal(await installRecoverUnit(host, '/usr/local/bin/passqemu'), true);
  assert.equal(await installRecoverUnit(host, '/usr/local/bin/passqemu'), false);
  assert.match(
    host.peek(RECOVER_UNIT)!,
    /^ExecStart=\/usr\/local\/bin\/passqemu recover --quiet --wait 20m$/m,
  );
  assert.deepEqual(uninstallHook(host), [FOLDER_PLACE]);
  assert.deepEqual(host.list('/var/cache/passqemu/code'), ['passqemu.run.1']);
  assert.equal(await uninstallRecoverUnit(host), true);
  assert.deepEqual(
    host.tree.dump().filter((line) => line.startsWith('/etc')),
    before,
  );
});

test('readHookStatus() says that the daemon has seen the hook once it was told, until another daemon runs', async () => {
  const { host } = machine('9.0.0');
  const { status } = await installHook(host, BUNDLE, NODE);
  assert.equal(status.seen, true);
  host.drop('/run/passqemu-hook-seen');
  assert.equal((await readHookStatus(host, BUNDLE, NODE)).seen, true, 'older than the daemon');
  const other = machine('9.0.0').host;
  other.put('/proc/stat', 'cpu 0\nbtime -1\n');
  await installHook(other, BUNDLE, NODE);
  assert.equal((await readHookStatus(other, BUNDLE, NODE)).seen, null);
});

test('installHook() tells a daemon that was never told, even when the file is there already', async () => {
  const { host, ran } = machine('9.0.0');
  host.put('/proc/stat', 'cpu 0\nbtime 0\n');
  await installHook(host, BUNDLE, NODE);
  host.drop('/run/passqemu-hook-seen');
  host.stat = ((stat) => (path, follow) => {
    const facts = stat.call(host, path, follow);
    return facts === null ? null : { ...facts, changedMs: 1e12 };
  })(host.stat);
  ran.length = 0;
  assert.equal((await installHook(host, BUNDLE, NODE)).written, false);
  assert.match(ran[0]!, /^kill -HUP \d+$/);
});

test('installHook() removes the one of ours that an older libvirt left in the other place', async () => {
  const { host } = machine('9.0.0');
  host.put(FILE_PLACE, BUNDLE, 0o755);
  await installHook(host, BUNDLE, NODE);
  assert.deepEqual([host.peek(FILE_PLACE), host.peek(FOLDER_PLACE) === null], [null, false]);
  host.put(FILE_PLACE, BUNDLE, 0o755);
  assert.equal((await readHookStatus(host, BUNDLE, NODE)).state, 'twice');
});

test('readHookStatus() tells what else is there and what may forbid the hook to run', async () => {
  const { host } = machine('11.3.0');
  host.put(FILE_PLACE, '#!/bin/sh\n', 0o755).put('/etc/libvirt/hooks/qemu.d/old', '#!/bin/sh\n', 0o644);
  host.putFolder('/etc/libvirt/hooks/qemu.d/win10');
  host.put('/sys/fs/selinux/enforce', '1').put('/sys/fs/selinux/booleans/virt_hooks_unconfined', '0 0');
  const { hints } = await readHookStatus(host, BUNDLE, NODE);
  assert.deepEqual(hints, [
    'SELinux confines hooks: setsebool -P virt_hooks_unconfined on, then restorecon -F /etc/libvirt/hooks/qemu.d/passqemu',
    '/etc/libvirt/hooks/qemu runs at each operation of each guest too; see that both do not change the same things',
    '/etc/libvirt/hooks/qemu.d/old is not executable: libvirt does not run it',
    '/etc/libvirt/hooks/qemu.d/win10 is a folder: libvirt runs nothing in it',
  ]);
  host.put('/sys/fs/selinux/booleans/virt_hooks_unconfined', '1 1').drop('/etc/libvirt/hooks');
  assert.deepEqual((await readHookStatus(host, BUNDLE, NODE)).hints, []);
});

test('readHookStatus() tells of AppArmor only where it confines the daemon and node lies elsewhere', async () => {
  const { host } = machine('9.0.0');
  const pid = host.list('/proc').find((one) => host.peek(`/proc/${one}/comm`) === 'libvirtd');
  const hints = async (node: string) => (await readHookStatus(host, BUNDLE, node)).hints;
  host.put(`/proc/${pid}/attr/current`, 'libvirtd (enforce)\n');
  assert.deepEqual(await hints(NODE), []);
  assert.match((await hints('/usr/local/bin/node'))[0]!, /"\/usr\/local\/bin\/node PUx,"/);
  host.put('/etc/apparmor.d/local/usr.sbin.libvirtd', '  /usr/local/bin/node PUx,\n');
  assert.deepEqual(await hints('/usr/local/bin/node'), []);
  assert.equal((await hints('/opt/node')).length, 1);
  host.put(`/proc/${pid}/attr/current`, 'unconfined\n');
  assert.deepEqual(await hints('/usr/local/bin/node'), []);
});

test('readHookStatus() takes the split daemon where only its socket is enabled', async () => {
  const { host } = machine('11.3.0', 'virtqemud');
  host.put('/usr/sbin/libvirtd', 'ELF', 0o755);
  host.onRun('/usr/sbin/libvirtd', () => ({ stdout: 'libvirtd (libvirt) 11.3.0\n' }));
  for (const pid of host.list('/proc'))
    if (host.peek(`/proc/${pid}/comm`) === 'virtqemud') host.drop(`/proc/${pid}`);
  assert.equal((await readHookStatus(host, BUNDLE, NODE)).daemon?.name, 'libvirtd');
  host.put('/etc/systemd/system/sockets.target.wants/virtqemud.socket', '');
  assert.deepEqual((await readHookStatus(host, BUNDLE, NODE)).daemon, {
    name: 'virtqemud',
    version: '11.3.0',
    running: false,
  });
});
