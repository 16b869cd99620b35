import assert from 'node:assert/strict';
import { test } from 'node:test';
import { virshInLab } from '../../bench/in-lab.ts';
import { parseLabOutput } from '../../bench/lab-machine.ts';
import { isKept } from '../../bench/measured.ts';

const OUTPUT = `starting
bench virsh none 1000000
bench virsh plain 3000000
bench virsh bare 2000000
bench virsh passqemu 2500000
bench virsh none 2000000
bench virsh plain 4000000
bench virsh bare 3000000
bench virsh passqemu 3500000
`;

test('virshInLab() gives the ratios to no hook, and our share against those of the hooks in bash', () => {
  const measured = virshInLab('lab', parseLabOutput(OUTPUT));
  assert.deepEqual(
    measured.map(({ ratio, bound }) => [ratio.median, ratio.pairs, bound]),
    [
      [2.125, 2, null],
      [2.5, 2, null],
      [1.75, 2, null],
      [0.75, 2, 1],
      [1.5, 2, null],
    ],
  );
  assert.equal(measured[0]!.note, 'none 1500 ms, plain 3500 ms, bare 2500 ms, passqemu 3000 ms');
});

test('virshInLab() misses its bound where ours is the larger share', () => {
  const swapped = OUTPUT.replaceAll(' plain ', ' x ')
    .replaceAll(' passqemu ', ' plain ')
    .replaceAll(' x ', ' passqemu ');
  assert.deepEqual(virshInLab('lab', parseLabOutput(swapped)).map(isKept), [true, true, true, false, true]);
});
