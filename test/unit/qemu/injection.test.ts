import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseRunProfile } from '../../../lib/inputs/read-run-profile.ts';
import type { WholeProfile } from '../../../lib/inputs/run-profile.ts';
import { option } from '../../../lib/qemu/option.ts';
import { planRun } from '../../../lib/qemu/plan-run.ts';
import { facts, goldenPicture, goldenQemu } from '../../golden/golden-picture.ts';

/** A profile with every key that takes text of the user's; each value is a number to be replaced. */
const BASE = parseRunProfile(
  `[machine]
memory = 64M
accel = tcg
kernel = /t0
initrd = /t1
kernel-arguments = t2
[firmware]
code = /t3
template = /t4
vars = /t5
[smbios]
manufacturer = t6
serial = t7
bios-vendor = t8
board-product = t9
[disk a]
source = /t10
serial = t11
[disk b]
source = /t12
bus = scsi
serial = t13
[network n]
type = tap
interface = t14
[share s]
source = /t15
tag = t16
[display]
type = spice
socket = /t17
[looking-glass]
size = 32M
path = /t18
[audio]
type = jack
server = t19
[serial]
type = file
path = /t20
[agent]
path = /t21
[fw-cfg f]
name = opt/t22
text = t23
[fw-cfg g]
name = opt/t24
file = /t25
[tpm]
type = host
path = /t26
[input i]
path = /t27
[device d]
mdev = 4dea22b3-1d52-48f3-9516-782e98ab3fa0
romfile = /t28
`,
  { guest: 't29', path: '/p' },
);
const COUNT = 30;

/** The same profile with texts in place of its numbers; typed data, so nothing that the reader of profiles refuses is kept out. */
function filled(texts: readonly string[]): WholeProfile {
  const replace = (value: unknown): unknown => {
    if (typeof value === 'string') return value.replace(/t(\d+)$/, (_all, at) => texts[Number(at)]!);
    if (Array.isArray(value)) return value.map(replace);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, replace(inner)]));
  };
  return { ...BASE, run: replace(BASE.run) as WholeProfile['run'] };
}

function argvOf(whole: WholeProfile): readonly string[] {
  return planRun(whole, goldenPicture(whole), goldenQemu()).argv;
}

/** What QEMU's parsers of "a=b,c=d" make of a word: a comma ends a value, two are one of it (util/keyval.c, util/qemu-option.c). */
function readOptions(word: string): string[] {
  const options: string[] = [];
  let current = '';
  for (let at = 0; at < word.length; at++) {
    if (word[at] !== ',') current += word[at];
    else if (word[at + 1] === ',') current += word[at++];
    else {
      options.push(current);
      current = '';
    }
  }
  return [...options, current];
}

const hostile = fc.oneof(
  fc.string({ unit: fc.constantFrom(...',,,="\'\\ \n\t-#;[]{}$`|&x1'), minLength: 1, maxLength: 20 }),
  fc.constantFrom(
    ',',
    ',,',
    '-S',
    '--daemonize',
    'a,id=b',
    'x\n-device\nvfio-pci',
    '$HOME',
    "'; reboot #",
    'on,driver=null-co',
    ',,,',
  ),
);

test('planRun() gives text of the user’s to QEMU as it is, never as an option', () => {
  const plainWords = argvOf(filled(Array.from({ length: COUNT }, (_, at) => `@${at}@`))).map(readOptions);
  fc.assert(
    fc.property(fc.array(hostile, { minLength: COUNT, maxLength: COUNT }), (parts) => {
      // No two are the same: a path is a file or a folder, never both
      const texts = parts.map((part, at) => `${part}${at}${part}`);
      const words = argvOf(filled(texts));
      // The guest's label of an id has none of them, and paths of sockets have the guest's name
      assert.equal(words.length, plainWords.length);
      for (const [index, word] of words.entries()) {
        const options = plainWords[index]!;
        const isPlain = ['-append', '-kernel', '-initrd'].includes(words[index - 1] ?? '');
        const wanted = options.map((one) => one.replace(/@(\d+)@/g, (_all, at) => texts[Number(at)]!));
        if (isPlain) assert.equal(word, wanted.join(','));
        else if (!options.some((one) => /^(uuid|mac)/.test(one)) && words[index - 1] !== '-uuid') {
          const fixed = (one: string) => one.replace(/^mac=.*/, 'mac');
          assert.deepEqual(readOptions(word).map(fixed), wanted.map(fixed));
        }
      }
    }),
    { numRuns: 300, includeErrorInReport: true },
  );
});

test('option() doubles commas and nothing else', () => {
  assert.equal(option('x', { a: 'b,c', d: true, e: null, f: 7, g: '' }), 'x,a=b,,c,d=on,f=7,g=');
});

const QEMU = '/usr/bin/qemu-system-x86_64';
const ODD = [
  ',',
  '-odd, "x" \'y\'',
  'a\nb',
  ' ,,=',
  'x,driver=null-co,read-only=on',
  '$(id) `id` \\',
  ';#[]',
];

test('the real QEMU reads texts of the user’s as they are', {
  skip: existsSync(QEMU) ? false : `no ${QEMU} here`,
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'passqemu-odd-'));
  try {
    for (const odd of ODD) {
      const path = `${folder}/${odd}`;
      writeFileSync(path, Buffer.alloc(1 << 20));
      const whole = parseRunProfile(
        '[machine]\nmemory = 64M\naccel = tcg\nsandbox = no\n[firmware]\ntype = bios\n[disk a]\nsource = /x\nserial = s\ncache = writeback\n[agent]\nenable = no\n[serial]\ntype = file\npath = /y\n',
        { guest: odd, path: '/p' },
      );
      const disk = { ...whole.run.disks[0]!, source: path, serial: odd.slice(0, 20) };
      const run = { ...whole.run, disks: [disk], serial: { ...whole.run.serial, path: `${path}.log` } };
      const picture = { ...goldenPicture({ ...whole, run }), files: new Map([[path, facts('file')]]) };
      const { argv } = planRun({ ...whole, run }, picture, goldenQemu());
      const questions = [
        { execute: 'qmp_capabilities' },
        { execute: 'query-name' },
        { execute: 'query-named-block-nodes' },
        { execute: 'qom-get', arguments: { path: '/machine/peripheral/disk-a', property: 'serial' } },
        { execute: 'quit' },
      ];
      const said = execFileSync(QEMU, [...argv.slice(1), '-S', '-qmp', 'stdio'], {
        input: questions.map((one) => JSON.stringify(one)).join('\n'),
        encoding: 'utf8',
        timeout: 60_000,
      });
      const answers = said
        .split('\n')
        .flatMap((line) => (line.startsWith('{"return"') ? [JSON.parse(line).return] : []));
      const node = answers[2].find((one: { 'node-name': string }) => one['node-name'] === 'drive0');
      assert.deepEqual(
        [answers[1].name, node.image.filename, node.ro, answers[3]],
        [odd, path, false, odd.slice(0, 20)],
      );
      assert.ok(existsSync(`${path}.log`), odd);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
