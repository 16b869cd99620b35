import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { escapeUnit, planWrapper, type WrapperInput } from '../../../lib/run/wrapper.ts';

const BARE: WrapperInput = {
  guest: 'win11',
  place: null,
  memlockKib: null,
  noNewPrivileges: false,
  whole: { realtime: null, cpus: null },
};

const CASES: readonly (readonly [string, Partial<WrapperInput>, string])[] = [
  ['nothing', {}, ''],
  [
    'a scope below machine.slice',
    { place: { by: 'scope' } },
    'systemd-run --scope --quiet --collect --slice=machine.slice --unit=passqemu-win11.scope --',
  ],
  [
    'a cgroup',
    { place: { by: 'cgroup', cgroup: 'machine' } },
    'sh -c echo 0 >"$0"/cgroup.procs && exec "$@" /sys/fs/cgroup/machine',
  ],
  [
    'the simple form of the guides',
    { whole: { realtime: { policy: 'rr', priority: 1 }, cpus: [4, 5, 6, 7] } },
    'chrt --rr 1 taskset --cpu-list 4-7',
  ],
  [
    'limits',
    { memlockKib: 2, noNewPrivileges: true },
    'prlimit --memlock=2048:2048 -- setpriv --no-new-privs --',
  ],
];

for (const [name, input, wanted] of CASES) {
  test(`planWrapper() with ${name}`, () => {
    assert.equal(planWrapper({ ...BARE, ...input }).join(' '), wanted);
  });
}

test('escapeUnit() gives names that systemd takes, and no two alike', () => {
  assert.equal(escapeUnit('win-11.x y'), 'win\\x2d11.x\\x20y');
  assert.equal(escapeUnit('.a/b'), '\\x2ea\\x2fb');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (one, other) => {
      assert.match(escapeUnit(one), /^(?:[A-Za-z0-9:_.]|\\x[0-9a-f]{2})*$/);
      const bytes = (text: string) => Buffer.from(text).toString('hex');
      assert.equal(escapeUnit(one) === escapeUnit(other), bytes(one) === bytes(other));
    }),
  );
});
