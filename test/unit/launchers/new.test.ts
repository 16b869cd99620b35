import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Ask, Choice } from '../../../launchers/ask.ts';
import type { Globals } from '../../../launchers/globals.ts';
import { makeGuest } from '../../../launchers/new.ts';
import { parseRunProfile } from '../../../lib/inputs/read-run-profile.ts';
import { HostError, RefusedError } from '../../../lib/words/errors.ts';
import type { FakeHost } from '../../fake/fake-host.ts';
import { labMachine } from '../../fake/lab-machine.ts';

/** Answers by the beginning of the question; what is not in the list is answered as proposed. A text that the question refuses is an error. */
function answering(answers: Readonly<Record<string, unknown>>, asked: string[] = []): Ask {
  const given = <T>(question: string, proposed: T): unknown => {
    asked.push(question);
    const key = Object.keys(answers).find((one) => question.startsWith(one));
    return key === undefined ? proposed : answers[key];
  };
  const find = <T>(choices: readonly Choice<T>[], label: string): T => {
    const found = choices.find((one) => one.label.includes(label));
    assert.ok(found, `${label} in ${choices.map((one) => one.label).join(', ')}`);
    return found.value;
  };
  return {
    text: async (question, { proposed, check }) => {
      const text = String(given(question, proposed));
      assert.equal(check(text), null, `${question} ${text}`);
      return text;
    },
    one: async (question, choices, proposed) => {
      const answer = given(question, null);
      return answer === null ? proposed : find(choices, String(answer));
    },
    some: async (question, choices, proposed) => {
      const answer = given(question, null) as readonly string[] | null;
      return answer === null ? proposed : answer.map((label) => find(choices, label));
    },
    yes: async (question, proposed) => given(question, proposed) as boolean,
    tell: () => {},
  };
}

async function make(
  host: FakeHost,
  ask: Ask,
  guest: string | null = null,
  lines: string[] = [],
): Promise<{ code: number; text: string; said: string }> {
  const words = guest === null ? [] : [guest];
  const globals: Globals = {
    host,
    configDir: '/etc/passqemu',
    stateDir: '/run/passqemu',
    stateDirGiven: false,
    json: false,
    quiet: false,
    verbose: false,
    colour: false,
    out: (text) => void lines.push(text),
    err: (text) => void lines.push(text),
  };
  const code = await makeGuest({ words, rest: [], has: () => false, value: () => null }, globals, ask);
  return { code, text: host.read('/etc/passqemu/win11.ini'), said: lines.join('\n') };
}

test('makeGuest() writes a profile that passqemu run reads, with comments, and shows the plan', async () => {
  const host = labMachine();
  host.put('/srv/win.qcow2', '');
  host.put('/srv/win.iso', '');
  const answers = {
    'What is the guest called': 'win11',
    'And which other cards': ['0000:01:00.0'],
    'How much memory': '64M',
    'In huge pages': false,
    'Its disk': '/srv/win.qcow2',
    'An ISO': '/srv/win.iso',
  };
  const { text, said } = await make(host, answering(answers));
  const { host: ofHost, run } = parseRunProfile(text, { guest: 'win11', path: '/p' });
  assert.deepEqual(
    ofHost.devices.requests.map(({ label, selector, identity }) => [label, selector, identity?.vendorId]),
    [
      ['gpu', { by: 'address', address: '0000:04:00.0' }, '1234'],
      ['gpu-1', { by: 'address', address: '0000:04:00.1' }, '8086'],
      ['nic', { by: 'address', address: '0000:01:00.0' }, '8086'],
    ],
  );
  assert.deepEqual(
    [run.machine.os, run.machine.memory, run.firmware.secureBoot, run.tpm.type, run.display.type],
    ['windows', 65_536, true, 'swtpm', 'none'],
  );
  assert.deepEqual(
    run.disks.map(({ label, source, bus, boot }) => [label, source, bus, boot]),
    [
      ['system', '/srv/win.qcow2', 'sata', 1],
      ['cd', '/srv/win.iso', null, 0],
    ],
  );
  assert.match(text, /^# passqemu profile of win11/);
  assert.match(said, /^Written: \/etc\/passqemu\/win11\.ini; passqemu run win11 starts the guest\n.*win11/);
});

test('makeGuest() asks nothing about a guest that has a profile already', async () => {
  const host = labMachine();
  host.put('/etc/passqemu/win11.ini', '[devices]\n');
  const asked: string[] = [];
  await assert.rejects(make(host, answering({}, asked), 'win11'), RefusedError);
  assert.deepEqual([asked, host.read('/etc/passqemu/win11.ini')], [[], '[devices]']);
});

test('makeGuest() asks for cards as such where none of them is a graphics card', async () => {
  const host = labMachine();
  const asked: string[] = [];
  for (const address of ['0000:00:04.0', '0000:04:00.0'])
    host.put(`/sys/bus/pci/devices/${address}/class`, '0x040300');
  await make(host, answering({ 'What is the guest': 'win11', 'How much': '64M' }, asked));
  const cards = asked.filter((question) => question.includes('card'));
  assert.deepEqual(cards, ['Which cards does it get?']);
});

test('makeGuest() shows what was answered where it cannot be written', async () => {
  const host = labMachine();
  const lines: string[] = [];
  host.replaceFile = () => {
    throw new HostError('Cannot write /etc/passqemu/win11.ini: EACCES', { code: 'EACCES' });
  };
  await assert.rejects(make(host, answering({ 'How much': '64M' }), 'win11', lines), HostError);
  assert.match(lines.join('\n'), /^# passqemu profile of win11[\s\S]*memory = 64M/);
});
