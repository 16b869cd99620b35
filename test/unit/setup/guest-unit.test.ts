import assert from 'node:assert/strict';
import test from 'node:test';
import { parseCommandLine } from '../../../launchers/command-line.ts';
import { COMMANDS, GLOBAL_OPTIONS } from '../../../launchers/commands.ts';
import { formatGuestUnit, installGuestUnit, removeGuestUnit } from '../../../lib/setup/guest-unit.ts';
import { FakeHost } from '../../fake/fake-host.ts';

const UNIT = {
  escaped: 'win11',
  guest: 'win11',
  program: '/usr/local/bin/passqemu',
  options: [],
  stopSeconds: 260,
};

test('formatGuestUnit() runs the guest, and stops and releases it however the launcher ended', () => {
  const lines = formatGuestUnit(UNIT).split('\n');
  for (const line of [
    'ExecStart=/usr/local/bin/passqemu run --quiet win11',
    'ExecStopPost=-/usr/local/bin/passqemu stop --quiet --if-running win11',
    'ExecStopPost=/usr/local/bin/passqemu release --quiet win11',
    'KillMode=process',
    'TimeoutStopSec=260',
  ])
    assert.ok(lines.includes(line), line);
});

test('formatGuestUnit() calls commands with options that they have', () => {
  const calls = [...formatGuestUnit(UNIT).matchAll(/^Exec\w+=-?\S+ (\w+) (.*)$/gm)];
  assert.equal(calls.length, 3);
  for (const [, name, words = ''] of calls) {
    const { options } = COMMANDS.find((command) => command.name === name)!;
    assert.deepEqual(parseCommandLine(words.split(' '), [...options, ...GLOBAL_OPTIONS]).words, ['win11']);
  }
});

test('formatGuestUnit() puts options behind the command', () => {
  const text = formatGuestUnit({ ...UNIT, options: ['--config-dir', '/a'] });
  assert.match(text, /^ExecStart=\/usr\/local\/bin\/passqemu run --quiet --config-dir \/a win11$/m);
});

test('formatGuestUnit() hands any name on as it is', () => {
  const text = formatGuestUnit({ ...UNIT, guest: 'a b"$HOME%n\\' });
  assert.match(text, /^ExecStart=\/usr\/local\/bin\/passqemu run --quiet "a b\\"\$\$HOME%%n\\\\"$/m);
  assert.match(text, /^Description=Guest a b"\$HOME%%n\\ with/m);
});

test('installGuestUnit() and removeGuestUnit() leave nothing', async () => {
  const host = new FakeHost();
  const asked: string[] = [];
  host.onRun('systemctl', (argv) => {
    asked.push(argv.slice(1).join(' '));
    return { status: 0 };
  });
  const path = await installGuestUnit(host, UNIT);
  assert.equal(host.peek(path)?.startsWith('[Unit]'), true);
  assert.equal(await removeGuestUnit(host, UNIT), true);
  assert.equal(host.peek(path), null);
  assert.equal(await removeGuestUnit(host, UNIT), false);
  assert.deepEqual(asked, ['daemon-reload', 'disable passqemu-win11.service', 'daemon-reload']);
});

test('installGuestUnit() tells what systemd says', async () => {
  const host = new FakeHost().onRun('systemctl', () => ({ status: 1, stderr: 'Access denied\n' }));
  await assert.rejects(installGuestUnit(host, UNIT), /Cannot do systemctl daemon-reload: Access denied/);
});
