import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parsePlainValue } from '../../../lib/inputs/profile-text.ts';
import { formatMinimalProfile, formatProfileValue } from '../../../lib/inputs/profile-writer.ts';
import { parseProfile } from '../../../lib/inputs/read-profile.ts';
import { parseDeviceRequest } from '../../../lib/inputs/selector.ts';
import { deviceRequest } from './arbitraries.ts';

test('formatMinimalProfile() writes the devices with what is known of them', () => {
  const text = formatMinimalProfile({
    guest: 'win 11',
    comments: ['Made by passqemu enable.'],
    devices: [
      { request: parseDeviceRequest('gpu', '01:00.0 10de:2684'), comment: 'NVIDIA AD102' },
      { request: parseDeviceRequest('disk', 'serial a;b') },
    ],
  });
  assert.equal(
    text,
    `# passqemu profile of win 11
# All that is not set here is read from the domain XML or has its default: see docs/profile.md.
# Made by passqemu enable.

[devices]
# NVIDIA AD102
gpu = 0000:01:00.0 10de:2684
disk = "serial a;b"
`,
  );
});

test('parseProfile() reads back what formatMinimalProfile() writes, whatever the comments', () => {
  const text = fc.string({ unit: 'binary' });
  const comment = fc.oneof(
    text,
    fc.constantFrom('a\n[commands]\nstarted = /bin/sh', '\r\n[cpu]', '\u2028x = 1'),
  );
  const label = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,8}$/);
  const devices = fc
    .uniqueArray(fc.tuple(label, deviceRequest, fc.option(comment, { nil: undefined })), {
      comparator: (a, b) => a[0] === b[0] || JSON.stringify(a[1].selector) === JSON.stringify(b[1].selector),
      maxLength: 5,
    })
    .map((list) =>
      list.map(([name, request, about]) => ({
        request: { label: name, ...request },
        ...(about !== undefined && { comment: about }),
      })),
    );
  fc.assert(
    fc.property(text, devices, fc.array(comment, { maxLength: 3 }), (guest, list, comments) => {
      const written = formatMinimalProfile({ guest, devices: list, comments });
      const about = { guest: 'g', path: '/g.ini' };
      const expected = parseProfile('', about);
      const requests = list.map(({ request }) => request);
      assert.deepEqual(parseProfile(written, about), {
        ...expected,
        devices: { ...expected.devices, requests },
      });
    }),
    { numRuns: 500 },
  );
});

test('formatProfileValue() quotes only where it must', () => {
  const cases = ['2-5', 'a b', 'true', 'a;b', '#', ' a', 'a\\b', 'a\\;b', '"a"', "a'", 'a"b', ''];
  assert.deepEqual(cases.map(formatProfileValue), [
    '2-5',
    'a b',
    'true',
    '"a;b"',
    '"#"',
    '" a"',
    'a\\b',
    '"a\\\\;b"',
    '"\\"a\\""',
    '"a\'"',
    'a"b',
    '""',
  ]);
});

test('parsePlainValue() reads back what formatProfileValue() writes', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'ab1 "\'\\;#=[]{}ü') }), (value) => {
      assert.deepEqual(parsePlainValue(formatProfileValue(value)), { value });
    }),
    { numRuns: 2000 },
  );
});
