import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRunProfile } from '../../../lib/inputs/read-run-profile.ts';
import { hostHalfOf, memoryKibOf } from '../../../lib/inputs/run-host-half.ts';
import { ProfileError } from '../../../lib/words/errors.ts';

const ABOUT = { guest: 'win11', path: '/etc/passqemu/win11.ini' };

function problemsOf(text: string): string[] {
  try {
    parseRunProfile(text, ABOUT);
    return [];
  } catch (error) {
    assert.ok(error instanceof ProfileError, String(error));
    return error.problems.map(({ line, section, key, what }) => [line, section, key, what].join(' | '));
  }
}

const FULL = `[machine]
memory = 8G
os = windows

[cpu]
pins = 2 10 3 11
iothreads = io1:1

[memory]
hugepages = 2M

[disk system]
source = "/srv/a;b,c.qcow2"
iothread = io1
boot = 0

[disk cd]
source = /srv/w.iso

[network lan]
forward = tcp:2222:22

[arguments]
mine = -d 'a b' --x
`;

test('parseRunProfile() reads both halves of a profile', () => {
  const { host, run, describesGuest } = parseRunProfile(FULL, ABOUT);
  assert.equal(describesGuest, true);
  assert.equal(host.memory.hugepageKib, 2048);
  assert.deepEqual(
    [run.machine.memory, run.machine.os, run.machine.type, run.machine.hideKvm],
    [8 * 1024 ** 2, 'windows', 'q35', false],
  );
  assert.deepEqual(run.threads.pins, [[2], [10], [3], [11]]);
  assert.deepEqual(
    run.disks.map(({ label, source, boot, iothread }) => ({ label, source, boot, iothread })),
    [
      { label: 'system', source: '/srv/a;b,c.qcow2', boot: 0, iothread: 'io1' },
      { label: 'cd', source: '/srv/w.iso', boot: null, iothread: null },
    ],
  );
  assert.deepEqual(run.networks[0]?.forward, [
    { protocol: 'tcp', address: '127.0.0.1', hostPort: 2222, guestPort: 22 },
  ]);
  assert.deepEqual(run.arguments, [{ label: 'mine', words: ['-d', 'a b', '--x'] }]);
  assert.equal(run.lookingGlass, null);
});

test('parseRunProfile() tells a libvirt guest by its lack of sections', () => {
  assert.equal(parseRunProfile('[cpu]\nguest = 2\n', ABOUT).describesGuest, false);
});

test('hostHalfOf() gives the planners of the host the memory and the CPUs', () => {
  const whole = parseRunProfile(FULL, ABOUT);
  const { memory, cpu } = hostHalfOf(whole);
  assert.deepEqual([memory.sizeKib, memory.nodes, cpu.guest], [8 * 1024 ** 2, null, [1, 2, 3, 10, 11]]);
  const nodes = parseRunProfile(
    '[machine]\nvcpus = 2\n[numa 0]\nmemory = 1G\nvcpus = 0\nhost-nodes = 1\n[numa 1]\nmemory = 2G\nvcpus = 1\nhost-nodes = 0\n',
    ABOUT,
  );
  assert.equal(memoryKibOf(nodes), 3 * 1024 ** 2);
  assert.deepEqual(hostHalfOf(nodes).memory.nodes, [
    { node: 0, sizeKib: 2 * 1024 ** 2 },
    { node: 1, sizeKib: 1024 ** 2 },
  ]);
  assert.equal(memoryKibOf(parseRunProfile('[machine]\n', ABOUT)), 4 * 1024 ** 2);
});

const WRONG: readonly (readonly [string, string, readonly string[]])[] = [
  [
    'an unknown key',
    '[disk a]\nsorce = /a',
    ['2 | disk a | sorce | is not a known key, the nearest is source'],
  ],
  [
    'a section without its label',
    '[disk]\nsource = /a',
    ['1 | disk |  | has no label, must be like [disk one]'],
  ],
  [
    'a label that is none',
    '[disk a b]',
    ['1 | disk a b |  | has the label "a b", must be one word of letters, digits, dots and dashes'],
  ],
  ['a label too many', '[machine x]', ['1 | machine x |  | has a label, must be [machine]']],
  [
    'a section twice',
    '[disk a]\nsource = /a\n[disk a]\nboot = 1',
    ['3 | disk a |  | is there a second time, must be there once (first in line 1)'],
  ],
  [
    'a key twice',
    '[tpm]\ntype = swtpm\ntype = none',
    ['3 | tpm | type | is there a second time, must be there once (first in line 2)'],
  ],
  ['a value out of range', '[machine]\nvcpus = 0', ['2 | machine | vcpus | is "0", must be 1 to 4096']],
  ['a cut value', '[disk a]\nsource = /a#b', ['2 | disk a | source | would be cut to "/a", at a # or ;']],
  [
    'a path with ..',
    '[disk a]\nsource = /srv/../etc/shadow',
    ['2 | disk a | source | is "/srv/../etc/shadow", must be a path without ..'],
  ],
  [
    'a path from here',
    '[disk a]\nsource = a.img',
    ['2 | disk a | source | is "a.img", must be a whole path, from / on'],
  ],
  [
    'a source twice',
    '[disk a]\nsource = /a\n[disk b]\nsource = /a',
    ['4 | disk b | source | is that of [disk a] too'],
  ],
  [
    'pins of other vCPUs',
    '[machine]\nvcpus = 2\n[cpu]\npins = 1 2 3',
    ['4 | cpu | pins | places 3 vCPUs, must place all 2'],
  ],
  [
    'a multicast MAC',
    '[network a]\nmac = 01:00:5e:00:00:01',
    [
      '2 | network a | mac | is "01:00:5e:00:00:01", must be the address of one card: its first pair must be even',
    ],
  ],
  [
    'a bridge without its name',
    '[network a]\ntype = bridge',
    ['2 | network a | type | is bridge, which one is lacking'],
  ],
  [
    'a function nobody named',
    '[device gpu]\nx-vga = yes',
    [
      '1 | device gpu |  | has no function, there must be one of this label in [devices], or mdev or sysfs-device here',
    ],
  ],
  [
    'functions that each go with the other',
    '[devices]\na = 0000:01:00.0\nb = 0000:02:00.0\n[device a]\nwith = b\n[device b]\nwith = a',
    [
      '5 | device a | with | is "b", which goes with another one itself: name that one',
      '7 | device b | with | is "a", which goes with another one itself: name that one',
    ],
  ],
  [
    'an iothread no disk has',
    '[cpu]\niothreads = io1:2',
    ['2 | cpu | iothreads | names io1, which no disk has as its iothread'],
  ],
  [
    'an open quote of an argument',
    "[arguments]\na = -x 'b",
    ["2 | arguments | a | has an open ', must close it"],
  ],
  [
    'both halves at once',
    '[cpu]\ngovernor = A B\n[tpm]\ntype = 2.0',
    [
      '2 | cpu | governor | is "A B", must be a name in lower-case letters',
      '4 | tpm | type | is "2.0", must be none or swtpm or host',
    ],
  ],
];

for (const [what, text, problems] of WRONG) {
  test(`parseRunProfile() refuses ${what}`, () => {
    assert.deepEqual(new Set(problemsOf(text)), new Set(problems));
  });
}
