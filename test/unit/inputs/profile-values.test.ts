import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { profileKey } from '../../../lib/inputs/profile-keys.ts';
import { formatMs, parseDurationMs, parseProfileValue } from '../../../lib/inputs/profile-values.ts';

const GOOD: readonly [string, string, unknown][] = [
  ['cpu.isolate', 'yes', true],
  ['cpu.isolate', 'no', false],
  ['options.siblings', 'park', 'park'],
  ['options.managed', 'leave', 'leave'],
  ['options.device-timeout', '30s', 30_000],
  ['options.device-timeout', '1500ms', 1500],
  ['options.device-timeout', '2 m', 120_000],
  ['memory.wait', '0s', 0],
  ['memory.wait', '1h', 3_600_000],
  ['memory.hugepages', '2M', 2048],
  ['memory.hugepages', '1G', 1_048_576],
  ['memory.hugepages', '1 GiB', 1_048_576],
  ['memory.hugepages', '64K', 64],
  ['memory.hugepages', '16G', 16_777_216],
  ['memory.hugepages', 'off', 0],
  ['memory.size', '16G', 16_777_216],
  ['memory.size', '512 MiB', 524_288],
  [
    'memory.nodes',
    '1:8G 0:4G',
    [
      { node: 0, sizeKib: 4_194_304 },
      { node: 1, sizeKib: 8_388_608 },
    ],
  ],
  [
    'memory.nodes',
    '0:4G, 1:512M',
    [
      { node: 0, sizeKib: 4_194_304 },
      { node: 1, sizeKib: 524_288 },
    ],
  ],
  ['cpu.guest', '2-5,10-13', [2, 3, 4, 5, 10, 11, 12, 13]],
  ['cpu.guest', '0-8:2/4', [0, 1, 4, 5, 8]],
  ['cpu.governor', 'performance', 'performance'],
  ['cpu.energy', 'balance_power', 'balance_power'],
  ['cpu.energy', '128', '128'],
  ['knobs.transparent-hugepages', 'madvise', 'madvise'],
  ['knobs.rt-runtime-us', '950000', 950_000],
  ['knobs.compaction-proactiveness', '0', 0],
  ['commands.started', '/bin/sh -c "a b"', ['/bin/sh', '-c', 'a b']],
  ['commands.timeout', '100ms', 100],
];
for (const [name, text, value] of GOOD) {
  test(`parseProfileValue() of ${name} = ${text}`, () => assert.deepEqual(read(name, text), { value }));
}

const BAD: readonly [string, string, string][] = [
  ['cpu.isolate', 'true', 'is "true", must be yes or no'],
  ['cpu.isolate', 'Yes', 'is "Yes", must be yes or no'],
  ['options.siblings', 'take', 'is "take", must be refuse or park'],
  ['options.device-timeout', '30', 'is "30", must be a duration with its unit, such as 30s, 500ms or 2m'],
  ['options.device-timeout', '-1s', 'is "-1s", must be a duration with its unit, such as 30s, 500ms or 2m'],
  ['options.device-timeout', '1.5s', 'is "1.5s", must be a duration with its unit, such as 30s, 500ms or 2m'],
  ['options.device-timeout', '999ms', 'is "999ms", must be 1s to 10m'],
  ['options.device-timeout', '11m', 'is "11m", must be 1s to 10m'],
  ['memory.wait', '61m', 'is "61m", must be 0s to 1h'],
  ['memory.hugepages', 'yes', 'is "yes", must be a page size such as 2M or 1G, or off'],
  ['memory.hugepages', '3M', 'is "3M", must be a page size such as 2M or 1G, or off'],
  ['memory.hugepages', '4K', 'is "4K", must be a page size such as 2M or 1G, or off'],
  ['memory.hugepages', '32G', 'is "32G", must be a page size such as 2M or 1G, or off'],
  ['memory.size', '16', 'is "16", must be a size with its unit, such as 16G or 512M'],
  ['memory.size', '0G', 'is "0G", must be 4 KiB to 65536 GiB'],
  ['memory.size', '65T', 'is "65T", must be 4 KiB to 65536 GiB'],
  ['memory.nodes', '8G', 'is "8G", must be node:size pairs, such as 0:8G 1:8G'],
  ['memory.nodes', '0:8G,', 'is "0:8G,", must be node:size pairs, such as 0:8G 1:8G'],
  ['memory.nodes', '0:0G', 'is "0:0G", must be node:size pairs, such as 0:8G 1:8G'],
  ['memory.nodes', '0:8G 0:8G', 'is "0:8G 0:8G", must be one size a node: node 0 is there twice'],
  ['cpu.guest', '5-2', 'is "5-2", must be a CPU list such as 2-5,10-13'],
  ['cpu.guest', '0-99999999', 'is "0-99999999", must be a CPU list such as 2-5,10-13'],
  ['cpu.guest', '', 'is "", must be a CPU list such as 2-5,10-13'],
  ['cpu.governor', 'Performance', 'is "Performance", must be a name in lower-case letters'],
  ['cpu.governor', '../x', 'is "../x", must be a name in lower-case letters'],
  ['knobs.rt-runtime-us', '-1', 'is "-1", must be 1 to 990000'],
  ['knobs.rt-runtime-us', '1000000', 'is "1000000", must be 1 to 990000'],
  ['knobs.rt-runtime-us', '1e5', 'is "1e5", must be a whole number'],
  ['knobs.compaction-proactiveness', '101', 'is "101", must be 0 to 100'],
  ['commands.started', 'true', 'runs "true", must name its program by the whole path'],
  ['commands.started', '"" /bin/true', 'runs "", must name its program by the whole path'],
  ['commands.started', '/bin/echo "a', 'has an open ", must close it'],
];
for (const [name, text, problem] of BAD) {
  test(`parseProfileValue() refuses ${name} = ${text}`, () => {
    const parsed = read(name, text);
    assert.deepEqual('problem' in parsed ? parsed.problem : parsed, problem);
  });
}

test('parseDurationMs() reads back what formatMs() writes', () => {
  fc.assert(fc.property(fc.nat(100_000_000), (ms) => assert.equal(parseDurationMs(formatMs(ms)), ms)));
});

function read(name: string, text: string) {
  const [section = '', key = ''] = name.split('.');
  return parseProfileValue(profileKey(section, key)!, text);
}
