import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDomain } from '../../../lib/inputs/domain-xml.ts';

const tuned = (xml: string) => parseDomain(`<domain><name>a</name><vcpu>8</vcpu>${xml}</domain>`);
const NONE = { hardLimitKib: null, softLimitKib: null, swapHardLimitKib: null, minGuaranteeKib: null };

for (const [text, hardLimitKib] of [
  ["<hard_limit unit='G'>1</hard_limit>", 1 << 20],
  ['<hard_limit>2048</hard_limit>', 2048],
  ['<hard_limit>-1</hard_limit>', null],
  ["<hard_limit unit='KiB'>9007199254740991</hard_limit>", null],
] as const) {
  test(`parseDomain() reads ${text}`, () => {
    assert.deepEqual(tuned(`<memtune>${text}</memtune>`).memtune, { ...NONE, hardLimitKib });
  });
}

test('parseDomain() reads schedulers of vCPUs, and refuses one without a name', () => {
  const xml = "<cputune><vcpusched vcpus='0-4,^3' scheduler='rr' priority='2'/></cputune>";
  assert.deepEqual(tuned(xml).vcpuScheds, [{ vcpus: [0, 1, 2, 4], scheduler: 'rr', priority: 2 }]);
  assert.throws(() => tuned("<cputune><vcpusched vcpus='0'/></cputune>"), { name: 'DomainError' });
  assert.throws(() => tuned('<memtune><hard_limit>much</hard_limit></memtune>'), { name: 'DomainError' });
});
