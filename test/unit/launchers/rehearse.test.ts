import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommandLine } from '../../../launchers/command-line.ts';
import type { Globals } from '../../../launchers/globals.ts';
import { formatRehearsal, rehearse } from '../../../launchers/rehearse.ts';
import type { RunResult } from '../../../lib/host/host.ts';
import { FakeHost } from '../../fake/fake-host.ts';

test('formatRehearsal() shows both ways with the time of each step', () => {
  const text = formatRehearsal('win', [
    { step: 'stop gdm.service', what: 'done', tookMs: 900 },
    { step: 'bind 0000:01:00.0 to vfio-pci', what: 'done', tookMs: 50 },
    { step: 'give 0000:01:00.0 back to amdgpu', what: 'undone', tookMs: 1200 },
  ]);
  assert.equal(
    text,
    `Handing over to win (950 ms):
      900 ms  stop gdm.service
       50 ms  bind 0000:01:00.0 to vfio-pci
Taking back (1200 ms):
     1200 ms  give 0000:01:00.0 back to amdgpu
Everything is back as it was`,
  );
});

test('rehearse() that has moved out passes an interrupt on, and ends when everything is back', async () => {
  const host = new FakeHost().putFolder('/run/systemd/system');
  const ran: string[] = [];
  let end: (result: RunResult) => void = () => {};
  host.run = (argv) => {
    ran.push(argv.join(' '));
    if (argv[0] === 'systemd-run') return new Promise((resolve) => (end = resolve));
    end({ status: 0, stdout: 'all is back\n', stderr: '', timedOut: false });
    return Promise.resolve({ status: 0, stdout: '', stderr: '', timedOut: false });
  };
  host.sleep = async () => void process.emit('SIGINT');
  const said: string[] = [];
  const globals = { host, stateDir: '/run/passqemu', out: (line: string) => said.push(line), err: () => {} };
  const line = parseCommandLine(['win'], []);
  assert.equal(await rehearse(line, globals as unknown as Globals), 0);
  const unit = /--unit=(\S+)/.exec(ran[0] ?? '')?.[1];
  assert.deepEqual(
    [ran.length, ran[1]],
    [2, `systemctl kill --kill-who=main --signal=SIGINT ${unit}.service`],
  );
  assert.deepEqual(said, ['all is back']);
});
