import assert from 'node:assert/strict';
import test from 'node:test';
import { driveLife } from '../../../lib/run/drive-life.ts';
import type { Life } from '../../../lib/run/life.ts';
import { QmpClient } from '../../../lib/run/qmp-client.ts';
import { fakeQemu } from '../../fake/fake-connection.ts';
import { FakeHost } from '../../fake/fake-host.ts';

async function lead(phase: Life['phase']) {
  const host = new FakeHost();
  const [lines, commands]: [string[], string[]] = [[], []];
  const connection = fakeQemu({}, (command) => void commands.push(command));
  const qmp = await QmpClient.open(connection);
  const looks = { count: 0 };
  const life = driveLife({
    host,
    qmp,
    qemu: { pid: 1, startTicks: 1 },
    times: { stopMs: 60_000, quitMs: 10_000 },
    phase,
    say: (line) => void lines.push(line),
    lookAfterThreads: async () => void looks.count++,
  });
  const event = (name: string, data: unknown = {}) =>
    connection.say(`${JSON.stringify({ event: name, data, timestamp: {} })}\r\n`);
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { life, lines, commands, looks, event, settled };
}

test('driveLife() tells a reboot once, however often the firmware resets the board for it', async () => {
  const { life, lines, looks, event, settled } = await lead('running');
  for (let count = 0; count < 3; count++) event('RESET', { guest: true, reason: 'guest-reset' });
  await settled();
  assert.deepEqual(lines, ['The guest reboots']);
  assert.equal(looks.count, 3);
  event('SUSPEND');
  event('WAKEUP');
  event('SUSPEND');
  assert.equal(lines.filter((line) => line.includes('sleeps')).length, 2);
  life.end();
});

test('driveLife() wakes a guest that slept before it came', async () => {
  const { life, commands, settled } = await lead('asleep');
  life.order();
  await settled();
  assert.deepEqual(commands, ['qmp_capabilities', 'system_wakeup']);
  life.end();
});
