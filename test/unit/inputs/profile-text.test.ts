import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import ini from 'ini';
import {
  LARGEST_PROFILE_BYTES,
  parsePlainValue,
  parseProfileText,
} from '../../../lib/inputs/profile-text.ts';

/** The problems of a text, each as one line. */
function problemsOf(text: string): string[] {
  return parseProfileText(text).problems.map(({ line, section, key, what, hint }) => {
    return [line, section, key, what, hint].map((part) => part ?? '-').join(' | ');
  });
}

test('parseProfileText() gives keys with their sections, values and lines', () => {
  const text =
    '\ufeff# mine\r\n\r\n[devices]\r\ngpu = 01:00.0\r\n  lan.1=nic \r\n;[cpu]\r\n[cpu]  \r\n\tguest = "2-5" \r\n';
  const { entries, problems } = parseProfileText(text);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    [...entries],
    [
      ['devices.gpu', { section: 'devices', key: 'gpu', value: '01:00.0', line: 4 }],
      ['devices.lan.1', { section: 'devices', key: 'lan.1', value: 'nic', line: 5 }],
      ['cpu.guest', { section: 'cpu', key: 'guest', value: '2-5', line: 8 }],
    ],
  );
});

test('parseProfileText() takes an empty text', () => {
  assert.deepEqual(parseProfileText(''), { entries: new Map(), sections: new Map(), problems: [] });
});

const COMMENT = 'A comment must stand on a line of its own';
const CUT = `${COMMENT}. A value with # or ; in it goes in double quotes`;
const SECTIONS =
  'The sections are devices, options, memory, cpu, handover, knobs, commands, machine, smbios, firmware, numa, disk, network, device, usb, input, display, looking-glass, audio, tpm, share, serial, agent, fw-cfg, arguments';
const QUOTE = 'Write it in double quotes, with \\" for a quote and \\\\ for a backslash inside';
const LINES: readonly [string, string, readonly string[]][] = [
  [
    'an unknown section',
    '[cpus]\nguest = 1',
    ['1 | cpus | - | is not a known section, the nearest is [cpu] | -'],
  ],
  [
    'a section that is like no other',
    '[graphics]',
    [`1 | graphics | - | is not a known section | ${SECTIONS}`],
  ],
  ['a section with dots', '[cpu.guest]\nx = 1', [`1 | cpu.guest | - | is not a known section | ${SECTIONS}`]],
  [
    'a section of an object',
    '[__proto__]\nx = 1',
    [`1 | __proto__ | - | is not a known section | ${SECTIONS}`],
  ],
  [
    'a section of an inherited name',
    '[toString]',
    [`1 | toString | - | is not a known section | ${SECTIONS}`],
  ],
  [
    'a section that is indented',
    ' [cpu]\nguset = 1',
    [
      `1 | cpu | - | " [cpu]" is not a section, must be like [cpu] from the first column on | ${COMMENT}`,
      '2 | cpu | guset | is not a known key, the nearest is guest | -',
    ],
  ],
  [
    'a section with a comment behind it',
    '[cpu] # mine',
    [
      `1 | cpu | - | "[cpu] # mine" is not a section, must be like [cpu] from the first column on | ${COMMENT}`,
    ],
  ],
  [
    'a section that is open',
    '[cpu',
    [`1 | cpu | - | "[cpu" is not a section, must be like [cpu] from the first column on | ${COMMENT}`],
  ],
  [
    'a section twice',
    '[cpu]\nguest = 1\n[memory]\n[cpu]\nguest = 2',
    [
      '4 | cpu | - | is there a second time, must be there once (first in line 1) | -',
      '5 | cpu | guest | is there a second time, must be there once (first in line 2) | -',
    ],
  ],
  ['an unknown key', '[cpu]\nguset = 1', ['2 | cpu | guset | is not a known key, the nearest is guest | -']],
  [
    'a key with an underscore',
    '[memory]\ndrop_caches = yes',
    ['2 | memory | drop_caches | is not a known key, the nearest is drop-caches | -'],
  ],
  [
    'a key in capitals',
    '[cpu]\nGuest = 1',
    ['2 | cpu | Guest | is not a known key, the nearest is guest | -'],
  ],
  [
    'a key of another section',
    '[cpu]\nhugepages = 2M',
    ['2 | cpu | hugepages | is not a known key of [cpu] | hugepages is a key of [memory]'],
  ],
  [
    'a key that is like no other',
    '[memory]\nballoon = no',
    [
      '2 | memory | balloon | is not a known key | The keys of [memory] are hugepages, size, nodes, wait, compact, drop-caches',
    ],
  ],
  [
    'a key of an object',
    '[cpu]\n__proto__ = 1',
    [
      '2 | cpu | __proto__ | is not a known key | The keys of [cpu] are guest, isolate, irqs, workqueues, governor, energy, pins, emulator, iothreads, real-time, real-time-priority, whole-process',
    ],
  ],
  [
    'a label of an object',
    '[devices]\n__proto__ = gpu',
    [
      '2 | devices | __proto__ | "__proto__" is not a label, must be one word of letters, digits, dots and dashes | -',
    ],
  ],
  [
    'a label with a space',
    '[devices]\nmy gpu = gpu',
    [
      '2 | devices | my gpu | "my gpu" is not a label, must be one word of letters, digits, dots and dashes | -',
    ],
  ],
  [
    'a list',
    '[cpu]\nguest[] = 1',
    ['2 | cpu | guest[] | is a list, must be a single value | Write the key once, without []'],
  ],
  [
    'a key twice',
    '[cpu]\nguest = 1\n\nguest = 2',
    ['4 | cpu | guest | is there a second time, must be there once (first in line 2) | -'],
  ],
  [
    'a key twice, the first wrong',
    '[cpu]\nguest =\nguest = 2',
    [
      '2 | cpu | guest | has no value | Write one, or put a # before the line',
      '3 | cpu | guest | is there a second time, must be there once (first in line 2) | -',
    ],
  ],
  [
    'a key before the first section',
    'guest = 1\nx = 2',
    [
      '1 | - | guest | stands before the first section, must stand in one | guest is a key of [cpu]',
      '2 | - | x | stands before the first section, must stand in one | -',
    ],
  ],
  ['a line without =', '[cpu]\nguest', ['2 | cpu | - | "guest" is neither a section nor key = value | -']],
  ['a line without a key', '[cpu]\n= 1', ['2 | cpu | - | "= 1" is neither a section nor key = value | -']],
  [
    'a key without a value',
    '[cpu]\nguest = ',
    ['2 | cpu | guest | has no value | Write one, or put a # before the line'],
  ],
  [
    'a value cut at #',
    '[cpu]\nguest = 2-5 # eight',
    [`2 | cpu | guest | would be cut to "2-5", at a # or ; | ${CUT}`],
  ],
  [
    'a value cut at ;',
    '[devices]\nx = serial A;B',
    [`2 | devices | x | would be cut to "serial A", at a # or ; | ${CUT}`],
  ],
  [
    'a value cut to nothing',
    '[cpu]\nguest = # 2-5',
    [`2 | cpu | guest | would be empty, at a # or ; | ${CUT}`],
  ],
  [
    'a comment behind a quoted value',
    '[cpu]\nguest = "2-5" # x',
    [`2 | cpu | guest | would be cut to "\\"2-5\\"", at a # or ; | ${CUT}`],
  ],
  [
    'a quote that is open',
    '[cpu]\nguest = "2-5',
    [`2 | cpu | guest | has an open quote: "\\"2-5" | ${QUOTE}`],
  ],
  [
    'a quote that only ends',
    "[cpu]\nguest = 2-5'",
    [`2 | cpu | guest | has an open quote: "2-5'" | ${QUOTE}`],
  ],
  [
    'a quote that is read as a number',
    "[cpu]\nguest = '1e1'",
    [`2 | cpu | guest | is quoted in a way that reads differently: "'1e1'" | ${QUOTE}`],
  ],
  [
    'a quote that is read as an object',
    "[cpu]\nguest = '{}'",
    [`2 | cpu | guest | is quoted in a way that reads differently: "'{}'" | ${QUOTE}`],
  ],
  [
    'a quote with a wrong escape',
    '[cpu]\nguest = "\\x"',
    [`2 | cpu | guest | is quoted in a way that reads differently: "\\"\\\\x\\"" | ${QUOTE}`],
  ],
  [
    'two single quotes',
    "[devices]\nx = 'serial a' 'b'",
    [`2 | devices | x | is quoted in a way that reads differently: "'serial a' 'b'" | ${QUOTE}`],
  ],
  [
    'a section three times',
    '[cpu]\n[cpu]\n[cpu]',
    [
      '2 | cpu | - | is there a second time, must be there once (first in line 1) | -',
      '3 | cpu | - | is there a second time, must be there once (first in line 1) | -',
    ],
  ],
  [
    'two quotes',
    '[devices]\nx = "a" "b"',
    [`2 | devices | x | is quoted in a way that reads differently: "\\"a\\" \\"b\\"" | ${QUOTE}`],
  ],
  [
    'a line break within quotes',
    '[devices]\nx = "serial a\\nb"',
    ['2 | devices | x | has a sign that cannot be seen, must be plain text | -'],
  ],
  [
    'a command cut at #',
    '[commands]\nstarted = /bin/true # x',
    [`2 | commands | started | would be cut at the # | ${COMMENT}. A word with # or ; goes in single quotes`],
  ],
  [
    'shell code without a shell',
    '[commands]\nstarted = /bin/a; /bin/b',
    [`2 | commands | started | would be cut at the ; | ${COMMENT}. A word with # or ; goes in single quotes`],
  ],
  [
    'a NUL',
    '[cpu]\nguest = 1\0',
    ['2 | cpu | - | has a sign that cannot be seen, must be plain text | It reads "guest = 1\\u0000"'],
  ],
  [
    'a lone carriage return',
    '[cpu]\nguest = 1\rirqs = no',
    ['2 | cpu | - | has a sign that cannot be seen, must be plain text | It reads "guest = 1\\rirqs = no"'],
  ],
  [
    'a line separator, at which ini drops the line',
    '[cpu]\nguest = 1\u2028',
    ['2 | cpu | - | has a sign that cannot be seen, must be plain text | It reads "guest = 1\\u2028"'],
  ],
  [
    'text that is shown backwards',
    '# \u202e',
    ['1 | - | - | has a sign that cannot be seen, must be plain text | It reads "# \\u202e"'],
  ],
];
for (const [what, text, problems] of LINES) {
  test(`parseProfileText() refuses ${what}`, () => assert.deepEqual(problemsOf(text), problems));
}

test('parseProfileText() does not complain about keys of an unknown section', () => {
  assert.equal(problemsOf('[cpus]\na\nb = # 1\n[memory]\nsize = 1G').length, 1);
});

test('parseProfileText() refuses more than 256 KiB, in bytes', () => {
  const large = `#${'ü'.repeat(LARGEST_PROFILE_BYTES / 2)}`;
  assert.deepEqual(problemsOf(large), ['- | - | - | is larger than 256 KiB, must be a profile | -']);
  assert.deepEqual(problemsOf('#'.padEnd(LARGEST_PROFILE_BYTES)), []);
});

test('parseProfileText() leaves the quotes of a command to argv', () => {
  const { entries, problems } = parseProfileText('[commands]\nstarted = "/opt/a b" \'c; d # e\' \\\\\\;\n');
  assert.deepEqual(problems, []);
  assert.equal(entries.get('commands.started')?.value, '"/opt/a b" \'c; d # e\' \\\\\\;');
});

const VALUES: readonly [string, string][] = [
  ['true', 'true'],
  ['null', 'null'],
  ['007', '007'],
  ['"true"', 'true'],
  ['"5"', '5'],
  ["'a\"b'", 'a"b'],
  ['"a # b; \\"c\\" \\\\ \\u00fc"', 'a # b; "c" \\ ü'],
  ['a\\#b\\;c\\\\d\\e', 'a#b;c\\d\\e'],
  ['a "b" c', 'a "b" c'],
  ['a = b', 'a = b'],
  ['""', ''],
];
for (const [raw, value] of VALUES) {
  test(`parsePlainValue() of ${raw} is ${JSON.stringify(value)}`, () =>
    assert.deepEqual(parsePlainValue(raw), { value }));
}

const keyLine = fc
  .tuple(
    fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom('a', ' b', 'c ', 'd.1') },
      fc.constantFrom('c[]', '__proto__', ''),
    ),
    fc.constantFrom('=', ' = ', ' =', '= '),
    fc.array(
      fc.constantFrom('a', 'b 1', '"', "'", '\\', '\\;', '\\#', '#', ';', '=', '[', '{}', '\t', '5', 'true'),
      { maxLength: 5 },
    ),
  )
  .map(([key, equals, value]) => key + equals + value.join(''));
const oddLine = fc.oneof(
  fc.constantFrom('[cpu]', ' [cpu]', '[devices] ', '[cpu', '[a.b]', '[__proto__]', '', '# a', ' ; b', 'a'),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const line = fc.oneof({ weight: 6, arbitrary: keyLine }, oddLine);
test('parseProfileText() accepts only what the ini package reads in the same way', () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(line, { maxLength: 3 }), (lines) => {
      const text = ['[devices]', ...lines].join('\n');
      const { entries, problems } = parseProfileText(text);
      if (problems.length > 0) return;
      accepted += entries.size;
      const tree: Record<string, Record<string, unknown>> = ini.parse(text.replace(/^\ufeff/, ''));
      const read = Object.entries(tree).flatMap(([section, keys]) =>
        Object.entries(keys).map(([key, value]) => [section, key, String(value)]),
      );
      const ours = [...entries.values()].map(({ section, key, value }) => [section, key, value]);
      assert.deepEqual(ours.sort(), read.sort());
    }),
    { numRuns: 20_000 },
  );
  assert.ok(accepted > 1000, `only ${accepted} accepted`);
});

test('parseProfileText() reads back what the ini package writes', () => {
  const value = fc.string({ unit: fc.constantFrom(...'ab1 "\'\\;#=[]{}ü'), minLength: 1 });
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'c.d'), value), (devices) => {
      const text = ini.stringify({ devices });
      // Left out: backslashes, which the package writes as they are and reads as escapes, and quotes at an end, which we refuse.
      if (Object.values(devices).some((written) => written.includes('\\') || /^["']|["']$/.test(written)))
        return;
      const { entries, problems } = parseProfileText(text);
      assert.deepEqual(problems, [], text);
      assert.deepEqual(
        [...entries.values()].map(({ key, value }) => [key, value]),
        Object.entries(devices),
      );
    }),
  );
});
