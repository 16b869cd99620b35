import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { BundleCopy, headOf, readBundle } from './bundle-copy.ts';
import { root } from './source-files.ts';

const XML = `<domain type='kvm'><name>win11</name><uuid>4dea22b3-1d52-d8f3-2516-782e98ab3fa0</uuid><memory>1</memory></domain>`;
const BUNDLES = ['qemu', 'passqemu'] as const;
const OPERATIONS = [
  ['prepare', 'begin'],
  ['start', 'begin'],
  ['started', 'begin'],
  ['stopped', 'end'],
  ['release', 'end'],
  ['reconnect', 'begin'],
  ['migrate', 'begin'],
  ['restore', 'begin'],
  ['attach', 'begin'],
  ['juggle', 'begin'],
] as const;

/** An operation of a later libvirt is told of, whoever the guest is. */
function toldOf(operation: string): string {
  return operation === 'juggle' ? 'passqemu: Unknown operation, nothing was done\n' : '';
}

function copyFor(t: TestContext, change?: (text: string) => string): BundleCopy {
  const copy = new BundleCopy(change);
  t.after(() => copy.remove());
  return copy;
}

for (const [operation, sub] of OPERATIONS) {
  test(`dist/qemu lets ${operation} of a guest without a profile pass, and node never starts`, (t) => {
    const ran = copyFor(t).run(['win11', operation, sub, '-'], { xml: XML });
    assert.deepEqual(ran, { status: 0, stdout: '', stderr: toldOf(operation), node: false });
  });
}

test('dist/qemu does nothing in operations that need nothing, of a guest with a profile too', (t) => {
  const copy = copyFor(t);
  copy.putProfile('win11', 'nonsense');
  for (const [operation, sub] of OPERATIONS) {
    if (operation === 'prepare') continue;
    const ran = copy.run(['win11', operation, sub, '-'], { xml: XML });
    assert.deepEqual(ran, { status: 0, stdout: '', stderr: toldOf(operation), node: false }, operation);
  }
});

const NAMES: readonly [string, string][] = [
  ['a way out of the folder', '../../etc/x'],
  ['an option of sh', '-rf'],
  ['an option of ours', '--help'],
  ['255 characters', 'x'.repeat(255)],
  ['5000 characters', 'x'.repeat(5000)],
  ['a line break', 'a\nb'],
  ['a command', '$(touch /nowhere) `id` ; exit 7'],
  ['a pattern', '*'],
  ['nothing', ''],
  ['a folder', '..'],
];
for (const [what, name] of NAMES) {
  test(`dist/qemu lets a guest pass whose name is ${what}`, (t) => {
    const copy = copyFor(t);
    copy.putProfile('other', 'nonsense');
    for (const [operation, sub] of OPERATIONS) {
      const { status, stdout, node } = copy.run([name, operation, sub, '-'], { xml: XML });
      assert.deepEqual({ status, stdout, node }, { status: 0, stdout: '', node: false }, operation);
    }
  });
}

test('dist/qemu lets a call with too few arguments pass', (t) => {
  const copy = copyFor(t);
  copy.putProfile('win11', 'nonsense');
  for (const argv of [[], ['win11'], ['win11', ''], ['', '', '', '']]) {
    const { status, stdout, stderr, node } = copy.run(argv);
    assert.deepEqual({ status, stdout, node }, { status: 0, stdout: '', node: false }, argv.join(' '));
    assert.match(stderr, /^passqemu: Cannot run: the operation is missing[^\n]+\n$/);
  }
});

test('dist/qemu starts node for prepare of a guest with a profile; one that plans nothing is prepared', (t) => {
  const copy = copyFor(t);
  copy.putProfile('win11', '');
  const ran = copy.run(['win11', 'prepare', 'begin', '-'], { xml: XML });
  assert.deepEqual(ran, { status: 0, stdout: '', stderr: '', node: true });
});

const REFUSED: readonly [string, string, string][] = [
  ['a bad profile', '[devices]\nfrobnicate = yes\n', XML],
  ['XML that is cut', '', XML.slice(0, 60)],
  ['no XML', '', ''],
  ['XML with a DOCTYPE', '', `<!DOCTYPE domain [<!ENTITY a "b">]>${XML}`],
  ['the XML of another guest', '', XML.replace('win11', 'other')],
];
for (const [what, profile, xml] of REFUSED) {
  test(`dist/qemu refuses prepare with ${what}: exit 1, one line, nothing on stdout`, (t) => {
    const copy = copyFor(t);
    copy.putProfile('win11', profile);
    const { status, stdout, stderr } = copy.run(['win11', 'prepare', 'begin', '-'], { xml });
    assert.deepEqual({ status, stdout }, { status: 1, stdout: '' });
    assert.match(stderr, /^passqemu: [^\n]+\n$/);
  });
}

test('dist/qemu takes its first argument for the guest, even if it reads like an option', (t) => {
  const copy = copyFor(t);
  for (const name of ['--help', '-v', '007']) {
    copy.putProfile(name, '[devices]\nfrobnicate = yes\n');
    const { status, stdout, stderr } = copy.run([name, 'prepare', 'begin', '-'], { xml: XML });
    assert.deepEqual({ status, stdout }, { status: 1, stdout: '' }, name);
    assert.match(stderr, /frobnicate/);
  }
});

test('dist/qemu answers 0 to all but prepare, even where a journal cannot be read', (t) => {
  const copy = copyFor(t);
  copy.putProfile('win11', 'nonsense');
  copy.putJournal('win11', '{"this is": "no journal"}\n');
  for (const operation of ['started', 'release', 'reconnect']) {
    const { status, stdout } = copy.run(['win11', operation, 'end', '-'], { xml: 'nonsense' });
    assert.deepEqual({ status, stdout }, { status: 0, stdout: '' }, operation);
    assert.equal(copy.nodeStarts(), true, operation);
  }
});

for (const [stage, profile] of [
  ['started', ''],
  ['reconnect', '[commands]\nstarted = /bin/true\n'],
] as const) {
  test(`dist/qemu lets libvirt wait for nothing in ${stage}: node gets the XML beside it, in a session of its own`, (t) => {
    const copy = copyFor(t);
    copy.putNode(
      `cat >'${copy.stateDir}/xml'; sleep 1; { echo "$@"; cut -d ' ' -f 6 "/proc/$$/stat"; echo $$; } >'${copy.stateDir}/saw'; mv '${copy.stateDir}/saw' '${copy.stateDir}/seen'`,
    );
    copy.putProfile('win 11', profile);
    copy.putJournal('win 11', 'x');
    const { status, stdout, stderr } = copy.run(['win 11', stage, 'begin', '-'], { xml: XML });
    assert.deepEqual([status, stdout, stderr], [0, '', '']);
    assert.equal(copy.readState('seen'), null);
    const [words, session, self] = copy.awaitState('seen').split('\n');
    assert.match(words!, new RegExp(`/qemu win 11 watch ${stage}$`));
    assert.equal(session, self);
    assert.equal(copy.readState('xml'), XML);
  });
}

test("dist/qemu lets libvirt wait for the user's command in started", (t) => {
  const copy = copyFor(t);
  copy.putNode(`case "$*" in *' watch '*) ;; *) sleep 0.5; echo "$@" >'${copy.stateDir}/words' ;; esac`);
  copy.putProfile('win11', '[commands]\nstarted = /bin/true\n');
  copy.putJournal('win11', 'x');
  assert.equal(copy.run(['win11', 'started', 'begin', '-'], { xml: XML }).status, 0);
  assert.match(copy.readState('words')!, / win11 started begin -$/m);
});

test('dist/qemu starts node in stopped only where the profile has a command for it', (t) => {
  const copy = copyFor(t);
  copy.putJournal('win11', 'x');
  const startsNode = (profile: string | null) => {
    if (profile !== null) copy.putProfile('win11', profile);
    const { status, stdout, node } = copy.run(['win11', 'stopped', 'end', '-'], { xml: XML });
    assert.deepEqual([status, stdout], [0, '']);
    return node;
  };
  const profiles = [null, '', '[commands]\nstarted = /bin/true\n', '[commands]\nstopped = /bin/true\n'];
  assert.deepEqual(profiles.map(startsNode), [false, false, false, true]);
  assert.equal(startsNode('[commands]\n  stopped=/bin/true'), true);
});

test('dist/qemu is not moved by NODE_OPTIONS, NODE_PATH or an empty environment', (t) => {
  const copy = copyFor(t);
  copy.putProfile('win11', '');
  const argv = ['win11', 'prepare', 'begin', '-'];
  const good = { status: 0, stdout: '', stderr: '', node: true };
  const env = { NODE_OPTIONS: '--require /nowhere.js', NODE_PATH: '/nowhere' };
  assert.deepEqual(copy.run(argv, { xml: XML, env }), good);
  assert.deepEqual(copy.run(argv, { xml: XML, env: { PATH: '', HOME: '', LC_ALL: '' } }), good);
});

test('dist/qemu works through a link, as in qemu.d', (t) => {
  const copy = copyFor(t);
  copy.putProfile('win11', '');
  const link = join(copy.stateDir, 'link');
  symlinkSync(copy.file, link);
  const ran = copy.run(['win11', 'prepare', 'begin', '-'], { xml: XML, file: link });
  assert.deepEqual(ran, { status: 0, stdout: '', stderr: '', node: true });
});

test('dist/qemu without node fails prepare with a line that says what to install, and nothing else', (t) => {
  const withoutNode = (text: string) =>
    text.replace(/^node=.*$/m, 'node=/nowhere/node').replace(/^( *)PATH=.*$/m, '$1PATH=/nowhere');
  const copy = copyFor(t, withoutNode);
  copy.putProfile('win11', '');
  copy.putJournal('win11', 'x');
  const { status, stdout, stderr } = copy.run(['win11', 'prepare', 'begin', '-'], { xml: XML });
  assert.deepEqual({ status, stdout }, { status: 1, stdout: '' });
  assert.match(stderr, /^passqemu: Cannot run: Node\.js is not installed.*install Node\.js 20.*\n$/);
  assert.equal(copy.run(['win11', 'started', 'begin', '-'], { xml: XML }).status, 0);
});

const BAD_NODES: readonly [string, string, number][] = [
  ['fails without a word', 'exit 7', 7],
  [
    'is too old to read the bundle',
    'printf "/x/qemu:1\\nlet a ??= 1\\n^^^\\nSyntaxError: Invalid\\n\\n" >&2; exit 1',
    1,
  ],
  ['is killed', 'kill -9 $$', 137],
  ['crashes', 'kill -SEGV $$', 139],
  ['talks on its standard output', 'echo "<domain/>"; exit 3', 3],
  // As AppArmor and SELinux answer the shell that would start it
  ['may not be started', 'exit 126', 126],
];
for (const [what, script, status] of BAD_NODES) {
  test(`dist/qemu whose node ${what} fails prepare with one line, and nothing else`, (t) => {
    const copy = copyFor(t);
    copy.putNode(script);
    copy.putProfile('win11', '[commands]\nstopped = /bin/true\n');
    copy.putJournal('win11', 'x');
    for (const operation of ['prepare', 'started', 'stopped', 'release', 'reconnect']) {
      const ran = copy.run(['win11', operation, '-', '-'], { xml: XML });
      const isAside = ['started', 'reconnect'].includes(operation);
      const why =
        status === 126
          ? `libvirt may not start ${copy.node}; what helps is said by passqemu hooks status`
          : `${copy.node} ended with status ${status} and no answer, it must be Node.js 20 or later and sound (${copy.node} --version)`;
      const line = isAside ? '' : `passqemu: Cannot run: ${why}\n`;
      const wanted = operation === 'prepare' ? 1 : 0;
      assert.deepEqual([ran.status, ran.stdout, ran.stderr], [wanted, '', line], operation);
      assert.equal(copy.nodeStarts(), true, operation);
    }
  });
}

test('dist/qemu gives on the line of ours out of what node says beside it', (t) => {
  const copy = copyFor(t);
  copy.putNode(String.raw`printf '(node:7) Warning: old\npassqemu: Cannot \\n win\n(gone)\n' >&2; exit 1`);
  copy.putProfile('win11', '');
  const { status, stdout, stderr } = copy.run(['win11', 'prepare', 'begin', '-'], { xml: XML });
  assert.deepEqual([status, stdout, stderr], [1, '', 'passqemu: Cannot \\n win\n']);
});

test('dist/qemu keeps to itself what node says though all went well', (t) => {
  const copy = copyFor(t);
  copy.putNode('echo "(node:7) Warning: old" >&2');
  copy.putProfile('win11', '');
  const { status, stdout, stderr } = copy.run(['win11', 'prepare', 'begin', '-'], { xml: XML });
  assert.deepEqual([status, stdout, stderr], [0, '', '']);
});

for (const name of ['a\nb', 'x'.repeat(220)]) {
  test(`dist/qemu does not start a guest with a profile whose name cannot be a journal's: ${JSON.stringify(name.slice(0, 4))}`, (t) => {
    const copy = copyFor(t);
    copy.putProfile(name, '');
    const { status, stdout, stderr } = copy.run([name, 'prepare', 'begin', '-'], { xml: XML });
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, /^passqemu: Cannot prepare "[^\n]+\n$/);
    assert.equal(copy.run([name, 'release', 'end', '-'], { xml: XML }).status, 0);
  });
}

for (const name of BUNDLES) {
  test(`the head of dist/${name} is sound sh`, (t) => {
    const input = headOf(readBundle(name));
    for (const shell of [['dash'], ['bash', '--posix'], ['busybox', 'sh'], ['sh']]) {
      const [program = '', ...rest] = shell;
      const { status, stderr, error } = spawnSync(program, [...rest, '-n'], { input, encoding: 'utf8' });
      if (error === undefined)
        assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, shell.join(' '));
      else t.diagnostic(`there is no ${program} here`);
    }
    const { status, stdout, error } = spawnSync('shellcheck', ['--severity=warning', '-'], {
      input,
      encoding: 'utf8',
    });
    if (error !== undefined) t.diagnostic('there is no shellcheck here');
    else assert.deepEqual({ status, stdout }, { status: 0, stdout: '' });
  });

  test(`dist/${name} is one file: it needs nothing but node`, (t) => {
    const text = readBundle(name);
    const needed = [...text.matchAll(/\brequire\(["']([^"']+)["']\)/g)].map(([, module = '']) => module);
    assert.ok(needed.length > 0);
    const parts = new Set([...text.matchAll(/"(\.\/[\w-]+\.js)":\[\d+,\d+\]/g)].map(([, part = '']) => part));
    assert.deepEqual(
      needed.filter((module) => !isBuiltin(module) && !parts.has(module)),
      [],
    );
    t.diagnostic(`dist/${name} has ${Math.round(Buffer.byteLength(text) / 1024)} KiB`);
  });
}

test('dist/passqemu hides what a command does not need in a comment that nothing ends too early', () => {
  const code = readBundle('passqemu');
  const begun = code.indexOf('\n/*parts\n');
  assert.ok(begun > 0);
  assert.equal(code.indexOf('*/', begun), code.length - 3);
  assert.doesNotMatch(code, /[^\0-\x7f]/);
});

/** The bundle with its kept code in a folder of the test's own; each call answers what it has printed. */
function keepingBundle(t: TestContext): { folder: string; kept: () => string[]; run: () => string } {
  const folder = mkdtempSync(join(tmpdir(), 'passqemu-code-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const program = join(folder, 'passqemu');
  const code = join(folder, 'code');
  const text = readFileSync(join(root, 'dist', 'passqemu'), 'utf8');
  assert.ok(text.includes('"/var/cache/passqemu/code"'));
  writeFileSync(program, text.replace('"/var/cache/passqemu/code"', JSON.stringify(code)), { mode: 0o755 });
  return {
    folder: code,
    kept: () => (existsSync(code) ? readdirSync(code) : []),
    run: () => {
      const { status, stdout, stderr } = spawnSync(program, ['run', '--help'], { encoding: 'utf8' });
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
      return stdout;
    },
  };
}
const asRoot = { skip: process.getuid?.() === 0 ? false : 'only root keeps code' };

test('dist/passqemu keeps what V8 has made of it, and works without, and with a damaged one', asRoot, (t) => {
  const { folder, kept, run } = keepingBundle(t);
  const help = run();
  assert.equal(kept().length, 1);
  const file = join(folder, kept()[0]!);
  const whole = readFileSync(file);
  assert.equal(run(), help);
  assert.deepEqual(readFileSync(file), whole, 'what is kept is not written again');
  for (const at of [0, 40, Math.floor(whole.length / 2), whole.length - 64]) {
    writeFileSync(file, Buffer.from(whole).fill(0x55, at, at + 64));
    assert.equal(run(), help);
  }
  writeFileSync(file, whole.subarray(0, 100));
  assert.equal(run(), help);
  assert.deepEqual(readFileSync(file).length > 1000, true, 'it is made anew');
});

test('dist/passqemu runs no code that others could have written', asRoot, (t) => {
  const { folder, kept, run } = keepingBundle(t);
  const help = run();
  const file = join(folder, kept()[0]!);
  chmodSync(file, 0o666);
  const before = statSync(file).ino;
  run();
  assert.notEqual(statSync(file).ino, before, 'it was not read, so it was made anew');
  rmSync(file);
  chmodSync(folder, 0o777);
  assert.equal(run(), help);
  assert.deepEqual(kept(), []);
});

test(
  'dist/qemu keeps what V8 has made of a prepare, and works with a damaged one and once it is edited',
  asRoot,
  (t) => {
    const copy = copyFor(t);
    copy.putProfile('win11', '');
    const run = () => copy.run(['win11', 'prepare', 'begin', '-'], { xml: XML });
    const first = run();
    assert.equal(first.status, 0);
    const [name = '', ...more] = readdirSync(copy.codeDir);
    assert.deepEqual([name.startsWith('qemu.prepare.'), more], [true, []]);
    const file = join(copy.codeDir, name);
    const { ino } = statSync(file);
    assert.deepEqual(run(), first);
    assert.equal(statSync(file).ino, ino, 'what is kept is not written again');
    const whole = readFileSync(file);
    writeFileSync(file, Buffer.from(whole).fill(0x55, 64, 4096));
    assert.deepEqual(run(), first);
    // One letter in the text of an error, in a bundle of the same length and digest
    writeFileSync(copy.file, readFileSync(copy.file, 'utf8').replace('Cannot prepare ', 'Cannot Prepare '));
    assert.equal(run().status, 0);
    assert.notDeepEqual(readdirSync(copy.codeDir), [name]);
  },
);

test('dist/qemu holds nothing of zx, tsx or minimist', () => {
  assert.doesNotMatch(readBundle('qemu'), /node_modules\/(zx|tsx|minimist|esbuild)\b/);
});

const COMMANDS: readonly [readonly string[], number][] = [
  [['version'], 0],
  [['--help'], 0],
  [['plan', '--help'], 0],
  [[], 2],
  [['plam'], 2],
  [['plan'], 2],
  [['plan', '--frobnicate', 'x'], 2],
  [['plan', '../../etc/x'], 2],
  [['plan', 'a\nb'], 2],
  [['status', 'one', 'two'], 2],
];
for (const [argv, wanted] of COMMANDS) {
  test(`dist/passqemu ${JSON.stringify(argv.join(' '))} ends with ${wanted}`, () => {
    const { status, stdout, stderr } = spawnSync(join(root, 'dist', 'passqemu'), argv, {
      cwd: '/',
      env: { PATH: process.env.PATH },
      encoding: 'utf8',
    });
    assert.equal(status, wanted, stderr);
    assert.equal(stdout === '', wanted !== 0, 'output for people on stdout, complaints on stderr');
    assert.equal(stderr === '', wanted === 0);
  });
}
