import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseCommandLine } from '../../../launchers/command-line.ts';
import { COMMANDS, GLOBAL_OPTIONS } from '../../../launchers/commands.ts';
import { completeWords } from '../../../launchers/complete-words.ts';
import { completion } from '../../../launchers/completion.ts';
import { COMPLETION_SCRIPTS } from '../../../launchers/completion-scripts.ts';
import { FakeHost } from '../../fake/fake-host.ts';

const FACTS = {
  guests: () => ['win11', 'work'],
  addresses: () => ['0000:01:00.0', '0000:41:00.0'].map((value) => ({ value, about: 'a card' })),
  keys: () => [{ value: 'cpu.governor', about: 'x' }],
};
const MANUAL = { commands: COMMANDS, options: GLOBAL_OPTIONS };

function complete(line: string): readonly string[] | 'files' {
  const found = completeWords(line.split(' '), MANUAL, FACTS);
  return found === 'files' ? found : found.map(({ value }) => value);
}

const CASES: readonly [string, readonly string[] | 'files'][] = [
  ['top', ['topology']],
  ['prep', ['prepare']],
  ['plan ', ['win11', 'work']],
  ['plan wi', ['win11']],
  ['plan win11 ', []],
  ['plan --domain ', 'files'],
  ['plan --domain x.xml ', ['win11', 'work']],
  ['doctor w', ['win11', 'work']],
  ['pin --device 0000:4', ['0000:41:00.0']],
  ['pin --smt ', ['keep', 'spread']],
  ['pin --vcpus ', []],
  ['pin --la', ['--large-cache']],
  ['pin --large-cache --la', []],
  ['hooks un', ['uninstall']],
  ['completion ', ['bash', 'zsh', 'fish']],
  ['help cpu', ['cpu.governor']],
  ['help top', ['topology']],
  ['man prof', ['profile']],
  ['rom ', ['dump', 'check']],
  ['rom dump ', ['0000:01:00.0', '0000:41:00.0']],
  ['rom check ', 'files'],
  ['snapshot ', 'files'],
  ['--sysroot ', 'files'],
  ['--sysroot x.tar.gz plan ', ['win11', 'work']],
  ['status --q', ['--quiet']],
  ['nonsense ', []],
];
for (const [line, wanted] of CASES) {
  test(`completeWords() for "${line}"`, () => {
    const found = complete(line);
    if (line === 'nonsense ')
      assert.ok(found.includes('plan'), 'a word that is no command leaves the command open');
    else assert.deepEqual(found, wanted);
  });
}

test('every option with a value and every word of every command is known to the completion', () => {
  for (const { name, words } of COMMANDS) {
    if (words === '' || /text|operation/.test(words)) continue;
    const found = complete(`${name} `);
    assert.ok(found === 'files' || found.length > 0, `${name} ${words}`);
  }
});

test('the script for bash completes in a real bash, across the colons of addresses', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'passqemu-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(
    join(folder, 'passqemu'),
    '#!/bin/sh\necho "$*" >>"$0.asked"\ncase "$*" in *snapshot*) echo :files;; *) printf "0000:01:00.0\\tcard\\n0000:01:00.1\\tsound\\n";; esac\n',
    { mode: 0o755 },
  );
  const script = `${COMPLETION_SCRIPTS.bash}
ask() { COMP_LINE=$1 COMP_POINT=\${#1} COMPREPLY=(); _passqemu 2>/dev/null; echo "\${COMPREPLY[*]}"; }
COMP_WORDBREAKS=' :='
ask 'passqemu pin --device 0000:01:'
COMP_WORDBREAKS=' '
ask 'passqemu pin --device 0000:01:'
ask 'passqemu pin '
ask 'passqemu snapshot x'
cat "${folder}/passqemu.asked"`;
  const { stdout, stderr, error } = spawnSync('bash', ['--norc', '-c', script], {
    env: { PATH: `${folder}:/usr/bin:/bin` },
    encoding: 'utf8',
  });
  if (error !== undefined) return t.skip('there is no bash here');
  assert.deepEqual(
    { lines: stdout.trimEnd().split('\n'), stderr },
    {
      lines: [
        '00.0 00.1',
        '0000:01:00.0 0000:01:00.1',
        '0000:01:00.0 0000:01:00.1',
        '',
        'completion candidates -- pin --device 0000:01:',
        'completion candidates -- pin --device 0000:01:',
        'completion candidates -- pin ',
        'completion candidates -- snapshot x',
      ],
      stderr: '',
    },
  );
});

test('the scripts are sound for the shells that are here', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'passqemu-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [shell, script] of Object.entries(COMPLETION_SCRIPTS)) {
    // fish does not read a script from a socket, which is what standard input is here
    const file = join(folder, shell);
    writeFileSync(file, script);
    const { status, stderr, error } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
    if (error !== undefined) t.diagnostic(`there is no ${shell} here`);
    else assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, shell);
  }
});

test('completion names the guests of the folder that --config-dir on the line says', async () => {
  const host = new FakeHost().put('/etc/passqemu/win11.ini', '').put('/srv/guests/router.ini', '');
  const ask = async (...words: readonly string[]) => {
    const lines: string[] = [];
    const globals = {
      ...{ host, configDir: '/etc/passqemu', stateDir: '/run/passqemu', stateDirGiven: false },
      ...{ json: false, quiet: false, verbose: false, colour: false, err: () => {} },
      out: (text: string) => void lines.push(text),
    };
    await completion(parseCommandLine(['candidates', '--', ...words], []), globals, MANUAL);
    return lines.map((line) => line.split('\t')[0]);
  };
  assert.deepEqual(await ask('plan', ''), ['win11']);
  assert.deepEqual(await ask('--config-dir', '/srv/guests', 'plan', ''), ['router']);
  assert.deepEqual(await ask('--config-dir=/srv/guests', 'plan', ''), ['router']);
});
