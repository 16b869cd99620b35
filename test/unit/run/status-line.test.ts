import assert from 'node:assert/strict';
import test from 'node:test';
import { showStatus } from '../../../launchers/run-status.ts';
import { formatStatusLine, parseCpuTicks } from '../../../lib/run/status-line.ts';
import { FakeHost } from '../../fake/fake-host.ts';

test('formatStatusLine() tells time and load, and fits', () => {
  const status = { guest: 'win11', runsMs: 3_725_900, percent: 152.4 };
  assert.equal(
    formatStatusLine(status, 80),
    'win11 runs | 1:02:05 | 152 % of a CPU | Ctrl-C powers it down, twice ends it',
  );
  assert.equal(formatStatusLine({ ...status, percent: null }, 23), 'win11 runs | 1:02:05 |');
});

test('parseCpuTicks() reads both times, whatever the program is called', () => {
  const rest = 'S 1 1 1 0 -1 0 0 0 0 0 250 50 0 0';
  assert.equal(parseCpuTicks(`7 (a) b) ${rest}`), 300);
  assert.equal(parseCpuTicks(null), null);
  assert.equal(parseCpuTicks('7 (qemu) S'), null);
});

test('showStatus() draws each second, keeps other lines above and goes away', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const stat = (ticks: number) => `7 (qemu) S 1 1 1 0 -1 0 0 0 0 0 ${ticks} 0 0 0`;
  const host = new FakeHost().put('/proc/7/stat', stat(0));
  const written: string[] = [];
  const terminal = { columns: 80, write: (text: string) => written.push(text) > 0 };
  const line = showStatus(host, 'g', { pid: 7, startTicks: 1 }, terminal);
  assert.deepEqual(written.splice(0), ['\r\x1b[Kg runs | 0:00:00 | Ctrl-C powers it down, twice ends it']);
  host.put('/proc/7/stat', stat(50));
  await host.sleep(1_000);
  t.mock.timers.tick(1_000);
  assert.match(written.splice(0).join(''), /^\r\x1b\[Kg runs \| 0:00:01 \| 50 % of a CPU \| /);
  line.above(() => written.push('said\n'));
  assert.match(written.splice(0).join(''), /^\r\x1b\[Ksaid\n\r\x1b\[Kg runs/);
  line.end();
  t.mock.timers.tick(5_000);
  assert.deepEqual(written, ['\r\x1b[K']);
});
