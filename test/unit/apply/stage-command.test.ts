import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runStageCommand } from '../../../lib/apply/stage-command.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { SILENT } from '../../fake/whole-machine.ts';

function machine(status: number): { host: FakeHost; ran: string[] } {
  const host = new FakeHost();
  const ran: string[] = [];
  host.put('/etc/passqemu/win.ini', '[commands]\nstarted = /usr/bin/tell "a b"\n');
  host.onRun('/usr/bin/tell', (argv, _host, { env }) => {
    ran.push(`${argv[1]} ${env?.PASSQEMU_GUEST} ${env?.PASSQEMU_OPERATION}`);
    return { status, stderr: 'no luck\n' };
  });
  return { host, ran };
}

test('runStageCommand() runs the command of its stage, and only that', async () => {
  const { host, ran } = machine(0);
  await runStageCommand(host, '/etc/passqemu', 'win', 'stopped', SILENT);
  assert.deepEqual(ran, []);
  await runStageCommand(host, '/etc/passqemu', 'win', 'started', SILENT);
  assert.deepEqual(ran, ['a b win started']);
  await runStageCommand(host, '/etc/passqemu', 'no-profile', 'started', SILENT);
  assert.equal(ran.length, 1);
});

test('runStageCommand() says why a command failed', async () => {
  const { host } = machine(3);
  await assert.rejects(
    runStageCommand(host, '/etc/passqemu', 'win', 'started', SILENT),
    /ended with status 3: no luck/,
  );
});
