import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCallingDaemon } from '../../../lib/host/calling-daemon.ts';
import { FakeHost } from '../../fake/fake-host.ts';

/** Ourselves, below two shells, below processes of these names, of which the last is the eldest. */
function startedBy(...names: readonly string[]): FakeHost {
  const host = new FakeHost();
  let child = host.self().pid;
  const born = (pid: number, parent: number, comm: string) =>
    host
      .put(`/proc/${pid}/stat`, `${pid} (${comm}) S ${parent} ${'0 '.repeat(17)}${pid * 10} 0 0`)
      .put(`/proc/${pid}/comm`, `${comm}\n`);
  ['node', 'sh', 'sh', ...names].forEach((comm, at, all) => {
    born(child, at + 1 < all.length ? 500 + at : 0, comm);
    child = 500 + at;
  });
  return host;
}

for (const name of ['libvirtd', 'virtqemud'])
  test(`readCallingDaemon() finds ${name} above the hook's shells`, () => {
    assert.deepEqual(readCallingDaemon(startedBy(name, 'systemd')), { pid: 502, startTicks: 5020 });
  });

for (const [what, host] of [
  ['a person calls the hook', startedBy('bash) S 502', 'sshd')],
  ['a parent has gone meanwhile', startedBy()],
  ['/proc tells nothing', new FakeHost()],
  ['the daemon is too far above', startedBy(...Array(8).fill('sh'), 'libvirtd')],
] as const)
  test(`readCallingDaemon() finds none where ${what}`, () => {
    assert.equal(readCallingDaemon(host), null);
  });
