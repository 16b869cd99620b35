import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseRunProfile } from '../../../lib/inputs/read-run-profile.ts';
import type { RunKey } from '../../../lib/inputs/run-key.ts';
import { RUN_KEYS } from '../../../lib/inputs/run-keys.ts';
import { RUN_SECTIONS } from '../../../lib/inputs/run-sections.ts';
import { parseRunValue } from '../../../lib/inputs/run-values.ts';
import { planRun } from '../../../lib/qemu/plan-run.ts';
import { ProfileError, RefusedError } from '../../../lib/words/errors.ts';
import { goldenPicture, goldenQemu } from '../../golden/golden-picture.ts';

const key = (kind: RunKey['kind']): RunKey => ({ kind, default: null, help: '' });

const RIGHT: readonly (readonly [RunKey['kind'], string, unknown])[] = [
  ['text', 'a "b", c', 'a "b", c'],
  ['path', '/a b/,c', '/a b/,c'],
  ['words', '-a \'b c\' "d"', ['-a', 'b c', 'd']],
  ['mac', '52-54-00-AB-cd-01', '52:54:00:ab:cd:01'],
  ['uuid', '4DEA22B3-1D52-48F3-9516-782E98AB3FA0', '4dea22b3-1d52-48f3-9516-782e98ab3fa0'],
  ['id', '0x10DE', '10de'],
  ['pins', '2 10-11,3', [[2], [3, 10, 11]]],
  [
    'named-pins',
    'io1:1 io2:9-10',
    [
      { name: 'io1', cpus: [1] },
      { name: 'io2', cpus: [9, 10] },
    ],
  ],
  ['resolution', '2560x1440', { width: 2560, height: 1440 }],
  ['usb-id', '046D:c52b', { vendorId: '046d', productId: 'c52b' }],
  ['usb-port', '1-2.3', { bus: 1, port: '2.3' }],
  ['forwards', 'udp:10.0.0.1:5:6', [{ protocol: 'udp', address: '10.0.0.1', hostPort: 5, guestPort: 6 }]],
];

for (const [kind, text, value] of RIGHT) {
  test(`parseRunValue() reads ${kind} ${JSON.stringify(text)}`, () =>
    assert.deepEqual(parseRunValue(key(kind), text), { value }));
}

const WRONG: readonly (readonly [RunKey['kind'], readonly string[]])[] = [
  ['text', ['', 'a\nb', '\u202e', 'x'.repeat(4097)]],
  ['path', ['a', './a', '', '/a/../b', '/a\nb']],
  ['words', ["'", '']],
  ['mac', ['52:54:00:12:34', '53:54:00:12:34:56', '52:54:00:12:34:5g']],
  ['uuid', ['4dea22b3', '4dea22b31d5248f39516782e98ab3fa0']],
  ['id', ['10d', '0x10def', 'ghij']],
  ['pins', ['', '2 x', '5-2', '2  99999']],
  ['named-pins', ['1', 'io1:', 'io1:1 io1:2', 'A:1']],
  ['resolution', ['1920', '1920x', '99999x1', '1x1']],
  ['usb-id', ['46d:c52b', '046d', '046d:c52b:1']],
  ['usb-port', ['1', '1-', '1-2.', 'a-1', '1-2,hostbus=3']],
  ['forwards', ['tcp:22', 'tcp:0:22', 'tcp:1:70000', 'icmp:1:2', 'tcp:300.1.1.1:1:2', 'tcp:1:2,id=x']],
];

for (const [kind, texts] of WRONG) {
  test(`parseRunValue() refuses what is no ${kind}`, () => {
    assert.deepEqual(
      texts.filter((text) => 'value' in parseRunValue(key(kind), text)),
      [],
    );
  });
}

/** A line of a profile that is right in form and often in its value too. */
const lineOf = (section: keyof typeof RUN_KEYS) => {
  const keys: readonly [string, RunKey][] = Object.entries(RUN_KEYS[section]);
  return fc
    .constantFrom(...keys)
    .chain(([name, { choices }]) =>
      fc
        .constantFrom(
          ...(choices ?? []),
          'yes',
          'no',
          '1',
          '4',
          '64M',
          '/srv/a',
          '/srv/b.iso',
          '2',
          '0-1',
          '2 3',
          'io1',
          'io1:2',
          'tcp:5:6',
          'nic',
          'br0',
          '1920x1080',
          '046d:c52b',
          '1-2',
          '52:54:00:12:34:56',
          '+x2apic',
          'opt/a.b/c',
        )
        .map((value) => `${name} = ${value}`),
    );
};

const section = fc
  .constantFrom(...(Object.keys(RUN_KEYS) as (keyof typeof RUN_KEYS)[]))
  .chain((kind) =>
    fc
      .tuple(
        fc.constantFrom('0', '1', 'a'),
        fc.uniqueArray(lineOf(kind), { maxLength: 6, selector: (line) => line.split(' ')[0] }),
      )
      .map(
        ([label, lines]) =>
          `[${RUN_SECTIONS[kind] === 'each' ? `${kind} ${label}` : kind}]\n${lines.join('\n')}\n`,
      ),
  );

test('a profile of any keys is planned, or refused with all reasons, and nothing else', () => {
  let planned = 0;
  fc.assert(
    fc.property(
      fc.uniqueArray(section, { maxLength: 7, selector: (text) => text.split('\n')[0] }),
      (sections) => {
        try {
          const whole = parseRunProfile(sections.join('\n'), { guest: 'g', path: '/g.ini' });
          const { argv } = planRun(whole, goldenPicture(whole), goldenQemu());
          assert.deepEqual(
            argv.filter((word) => /undefined|\[object|NaN|null/.test(word)),
            [],
          );
          planned++;
        } catch (error) {
          if (!(error instanceof ProfileError || error instanceof RefusedError)) throw error;
        }
      },
    ),
    { numRuns: 2000 },
  );
  assert.ok(planned > 50, `only ${planned} profiles could be planned`);
});
