import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeMetadata } from '../../../lib/inputs/merge-metadata.ts';
import { parseProfileText } from '../../../lib/inputs/profile-text.ts';

test('mergeMetadata() adds keys of the domain, and the profile wins', () => {
  const { entries } = parseProfileText('[cpu]\nguest = 2');
  assert.deepEqual(
    mergeMetadata(
      entries,
      new Map([
        ['cpu.guest', '3'],
        ['memory.size', '1G'],
      ]),
    ),
    {
      entries: new Map([
        ['cpu.guest', { section: 'cpu', key: 'guest', value: '2', line: 2 }],
        ['memory.size', { section: 'memory', key: 'size', value: '1G', line: null }],
      ]),
      sources: new Map([
        ['cpu.guest', 'profile'],
        ['memory.size', 'metadata'],
      ]),
      problems: [],
    },
  );
});

const PROBLEMS: readonly [string, string, string, string | null][] = [
  ['cpus.guest', 'cpus', 'is not a known section, the nearest is [cpu]', null],
  [
    '.guest',
    '',
    'is not a known section',
    'The sections are devices, options, memory, cpu, handover, knobs, commands, machine, smbios, firmware, numa, disk, network, device, usb, input, display, looking-glass, audio, tpm, share, serial, agent, fw-cfg, arguments',
  ],
  ['cpu.guset', 'cpu', 'is not a known key, the nearest is guest', null],
  [
    'devices.a b',
    'devices',
    '"a b" is not a label, must be one word of letters, digits, dots and dashes',
    null,
  ],
  ['commands.started', 'commands', 'is in the metadata of the domain, must be in the profile', null],
  ['commands.timeout', 'commands', 'is in the metadata of the domain, must be in the profile', null],
  ['handover.sessions', 'handover', 'is in the metadata of the domain, must be in the profile', null],
];
for (const [name, section, what, hint] of PROBLEMS) {
  test(`mergeMetadata() refuses ${name}`, () => {
    const key = name.slice(name.indexOf('.') + 1);
    const merged = mergeMetadata(new Map(), new Map([[name, '/bin/true']]));
    assert.deepEqual(merged, {
      entries: new Map(),
      sources: new Map(),
      problems: [{ line: null, section, key, what, hint }],
    });
  });
}
