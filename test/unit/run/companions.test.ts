import assert from 'node:assert/strict';
import test from 'node:test';
import type { RunPlan } from '../../../lib/qemu/run-plan.ts';
import { makeFiles } from '../../../lib/run/companions.ts';
import { FakeHost } from '../../fake/fake-host.ts';

const USER = { name: 'u', uid: 1000, gid: 100 };
const PREPARE: RunPlan['prepare'] = {
  folders: ['/var/lib/passqemu/a'],
  variables: {
    from: '/usr/t.fd',
    to: '/var/lib/passqemu/a/vars.fd',
    record: { path: '/var/lib/passqemu/a/vars.from', text: 'sum' },
  },
  once: [{ argv: ['swtpm_setup', '--tpm2'], unless: '/var/lib/passqemu/a/tpm' }],
  files: [{ path: '/dev/shm/lg', sizeBytes: 4096 }],
};
const planOf = (user: RunPlan['user']) => ({ guest: 'a', prepare: PREPARE, user }) as RunPlan;

/** A machine whose tools note what they were called with; `mv` moves. */
function machine(): { host: FakeHost; ran: string[] } {
  const host = new FakeHost().put('/usr/t.fd', 'template');
  const ran: string[] = [];
  for (const program of ['install', 'truncate', 'setpriv', 'swtpm_setup', 'mv']) {
    host.onRun(program, (argv) => {
      ran.push(argv.join(' '));
      if (program === 'install' && !argv.includes('-d')) host.put(argv.at(-1)!, 'copied');
      if (program === 'mv') host.put(argv.at(-1)!, host.peek(argv.at(-2)!) ?? '').drop(argv.at(-2)!);
      return { status: 0 };
    });
  }
  return { host, ran };
}

test('makeFiles() makes what is not there, for the user that QEMU runs as', async () => {
  const { host, ran } = machine();
  await makeFiles(host, planOf(USER));
  assert.deepEqual(ran, [
    'install -m 0600 -o 1000 -g 100 -- /usr/t.fd /var/lib/passqemu/a/vars.fd.new',
    'mv -f -T -- /var/lib/passqemu/a/vars.fd.new /var/lib/passqemu/a/vars.fd',
    'setpriv --reuid 1000 --regid 100 --init-groups --no-new-privs -- swtpm_setup --tpm2',
    'install -m 0660 -o 1000 -g 100 -- /dev/null /dev/shm/lg',
    'truncate -s 4096 -- /dev/shm/lg',
  ]);
  assert.equal(host.peek('/var/lib/passqemu/a/vars.from'), 'sum');
  const { uid, gid } = host.stat('/var/lib/passqemu/a')!;
  assert.deepEqual([uid, gid, host.stat('/var/lib/passqemu')!.uid], [1000, 100, 0]);
});

test('makeFiles() leaves what is there as it is', async () => {
  const { host, ran } = machine();
  host
    .put('/var/lib/passqemu/a/vars.fd', 'the guest’s')
    .put('/var/lib/passqemu/a/tpm', 'x')
    .put('/dev/shm/lg', 'x'.repeat(4096));
  await makeFiles(host, planOf(null));
  assert.deepEqual(ran, []);
  assert.equal(host.peek('/var/lib/passqemu/a/vars.fd'), 'the guest’s');
  assert.equal(host.peek('/var/lib/passqemu/a/vars.from'), null);
});

test('makeFiles() tells what a tool says, in one line', async () => {
  const { host } = machine();
  host.onRun('install', () => ({ status: 1, stderr: 'install: a\ninstall: No space left\u001b[2J\n' }));
  await assert.rejects(
    makeFiles(host, planOf(null)),
    /^HostError: Cannot make what a needs: install: No space left \[2J$/,
  );
});
