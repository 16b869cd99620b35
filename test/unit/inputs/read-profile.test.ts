import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Profile } from '../../../lib/inputs/profile.ts';
import { parseProfile, parseSourcedProfile } from '../../../lib/inputs/read-profile.ts';
import { DomainError, ProfileError } from '../../../lib/words/errors.ts';

const ABOUT = { guest: 'win11', path: '/etc/passqemu/win11.ini' };

const DEFAULTS: Profile = {
  ...ABOUT,
  devices: {
    requests: [],
    siblings: 'refuse',
    managed: 'take',
    allowDefaultRoute: false,
    keepAwake: 'display',
    resetMethods: [],
    barSizes: [],
    deadlineMs: 20_000,
  },
  memory: { hugepageKib: null, sizeKib: null, nodes: null, waitMs: 20_000, compact: true, dropCaches: false },
  cpu: { guest: null, isolate: true, irqs: true, workqueues: true, governor: null, energy: null },
  handover: {
    display: false,
    sessions: 'refuse',
    units: ['nvidia-persistenced.service', 'nvidia-powerd.service'],
    processes: [],
    modules: 'auto',
    timeoutMs: 30_000,
  },
  knobs: {
    transparentHugepages: null,
    ksm: null,
    rtRuntimeUs: null,
    nmiWatchdog: null,
    statIntervalS: null,
    compactionProactiveness: null,
    inhibitSleep: true,
  },
  commands: {
    prepareFirst: null,
    prepareLast: null,
    started: null,
    stopped: null,
    releaseFirst: null,
    releaseLast: null,
  },
};

test('parseProfile() gives the defaults for an empty text', () => {
  assert.deepEqual(parseProfile('', ABOUT), DEFAULTS);
});

const FULL = `# everything at once
[devices]
gpu   = 0000:01:00.0 10de:2684:1458:40bf
sound = 01:00.1
disk  = "serial S4EV;1"

[options]
siblings = park
managed = leave
allow-default-route = yes
keep-awake = all
reset-methods = gpu:flr+bus sound:pm
bar-sizes = gpu:0:256M
device-timeout = 5s

[memory]
hugepages = 1G
size = 12G
nodes = 0:8G 1:4G
wait = 1m
compact = no
drop-caches = yes

[cpu]
guest = 2-5
isolate = no
irqs = no
workqueues = no
governor = performance
energy = balance_performance

[handover]
display = yes
sessions = end
units = ollama.service, x@1.service
processes = nvtop
modules = keep
timeout = 5s

[knobs]
transparent-hugepages = never
ksm = no
rt-runtime-us = 950000
nmi-watchdog = no
stat-interval = 120s
compaction-proactiveness = 0
inhibit-sleep = no

[commands]
prepare-first = /bin/one "a b"
prepare-last = /bin/two
started = /bin/three
stopped = /bin/four
release-first = /bin/five
release-last = /bin/sh -c 'echo "$1"; exit' - six
timeout = 10s
started-timeout = 500ms
`;

test('parseProfile() reads every key', () => {
  const command = (argv: string[], timeoutMs = 10_000) => ({ argv, timeoutMs });
  const profile = parseProfile(FULL, ABOUT);
  assert.deepEqual(profile, {
    ...ABOUT,
    devices: {
      requests: [
        {
          label: 'gpu',
          selector: { by: 'address', address: '0000:01:00.0' },
          identity: { vendorId: '10de', deviceId: '2684', subsystemVendorId: '1458', subsystemId: '40bf' },
        },
        { label: 'sound', selector: { by: 'address', address: '0000:01:00.1' }, identity: null },
        { label: 'disk', selector: { by: 'serial', serial: 'S4EV;1' }, identity: null },
      ],
      siblings: 'park',
      managed: 'leave',
      allowDefaultRoute: true,
      keepAwake: 'all',
      resetMethods: ['gpu:flr+bus', 'sound:pm'],
      barSizes: ['gpu:0:256M'],
      deadlineMs: 5000,
    },
    memory: {
      hugepageKib: 1_048_576,
      sizeKib: 12_582_912,
      nodes: [
        { node: 0, sizeKib: 8_388_608 },
        { node: 1, sizeKib: 4_194_304 },
      ],
      waitMs: 60_000,
      compact: false,
      dropCaches: true,
    },
    cpu: {
      guest: [2, 3, 4, 5],
      isolate: false,
      irqs: false,
      workqueues: false,
      governor: 'performance',
      energy: 'balance_performance',
    },
    handover: {
      display: true,
      sessions: 'end',
      units: ['ollama.service', 'x@1.service'],
      processes: ['nvtop'],
      modules: 'keep',
      timeoutMs: 5000,
    },
    knobs: {
      transparentHugepages: 'never',
      ksm: false,
      rtRuntimeUs: 950_000,
      nmiWatchdog: false,
      statIntervalS: 120,
      compactionProactiveness: 0,
      inhibitSleep: false,
    },
    commands: {
      prepareFirst: command(['/bin/one', 'a b']),
      prepareLast: command(['/bin/two']),
      started: command(['/bin/three'], 500),
      stopped: command(['/bin/four']),
      releaseFirst: command(['/bin/five']),
      releaseLast: command(['/bin/sh', '-c', 'echo "$1"; exit', '-', 'six']),
    },
  } satisfies Record<keyof Profile, unknown>);
});

test('parseProfile() gives commands half a minute', () => {
  const { commands } = parseProfile('[commands]\nstopped = /bin/true', ABOUT);
  assert.deepEqual(commands, { ...DEFAULTS.commands, stopped: { argv: ['/bin/true'], timeoutMs: 30_000 } });
});

/** Message and hint of the error that a text ends in. */
function errorOf(text: string, metadata = new Map<string, string>()) {
  try {
    parseProfile(text, { ...ABOUT, metadata });
  } catch (error) {
    assert.ok(error instanceof ProfileError || error instanceof DomainError, String(error));
    const { name, message, hint, exitCode } = error;
    return { name, message, hint, exitCode };
  }
  return assert.fail('no error');
}

const CANNOT = 'Cannot read profile /etc/passqemu/win11.ini:';
const ONE: readonly [string, string, string | undefined][] = [
  ['[cpu]\nguset = 2', `${CANNOT} line 2, [cpu] guset is not a known key, the nearest is guest`, undefined],
  ['[cpuu]', `${CANNOT} line 1, [cpuu] is not a known section, the nearest is [cpu]`, undefined],
  [
    '[cpu]\nguest = a',
    `${CANNOT} line 2, [cpu] guest is "a", must be a CPU list such as 2-5,10-13`,
    undefined,
  ],
  [
    '[a\tb]',
    `${CANNOT} line 1, ["a\\tb"] is not a known section`,
    'The sections are devices, options, memory, cpu, handover, knobs, commands, machine, smbios, firmware, numa, disk, network, device, usb, input, display, looking-glass, audio, tpm, share, serial, agent, fw-cfg, arguments',
  ],
  ['[cpu]\nnothing', `${CANNOT} line 2, [cpu] "nothing" is neither a section nor key = value`, undefined],
  [
    '[knobs]\nstat-interval = 1500ms',
    `${CANNOT} line 2, [knobs] stat-interval has parts of a second, must be whole seconds`,
    undefined,
  ],
  [
    '[memory]\nsize = 8G\nnodes = 0:4G',
    `${CANNOT} line 3, [memory] nodes does not add up to size, must do so where both are given`,
    undefined,
  ],
  [
    '[devices]\na = 1:0.0\nb = 0000:01:00.0',
    `${CANNOT} line 3, [devices] b names the same function as a, must be another`,
    undefined,
  ],
  [
    '[devices]\na = gpu #1',
    `${CANNOT} line 2, [devices] a would be cut to "gpu", at a # or ;`,
    'A comment must stand on a line of its own. A value with # or ; in it goes in double quotes',
  ],
  [
    '[commands]\nstarted = echo',
    `${CANNOT} line 2, [commands] started runs "echo", must name its program by the whole path`,
    "There is no shell and no search path; for shell code write /bin/sh -c '…'",
  ],
  [
    '[commands]\ntimeout = x',
    `${CANNOT} line 2, [commands] timeout is "x", must be a duration with its unit, such as 30s, 500ms or 2m`,
    undefined,
  ],
  ['#'.repeat(300_000), `${CANNOT} it is larger than 256 KiB, must be a profile`, undefined],
];
for (const [text, message, hint] of ONE) {
  test(`parseProfile() refuses ${JSON.stringify(text.slice(0, 60))}`, () => {
    assert.deepEqual(errorOf(text), { name: 'ProfileError', message, hint, exitCode: 2 });
  });
}

test('parseProfile() tells all problems at once, in the order of their lines', () => {
  const text = '[cpu]\nguest = 5-2\nguset = 1\n[memory]\nsize = 16\nwait = 1s # x\n[devices]\ncard = the gpu';
  assert.deepEqual(errorOf(text), {
    name: 'ProfileError',
    message: `${CANNOT} line 2, [cpu] guest is "5-2", must be a CPU list such as 2-5,10-13 (and 4 more)`,
    hint: [
      'line 3, [cpu] guset is not a known key, the nearest is guest',
      'line 5, [memory] size is "16", must be a size with its unit, such as 16G or 512M',
      'line 6, [memory] wait would be cut to "1s", at a # or ;',
      '  A comment must stand on a line of its own. A value with # or ; in it goes in double quotes',
      'line 8, [devices] card is "the gpu", must name a function',
      '  Write an address (0000:01:00.0), vendor:device (10de:2684), gpu, nvme, nic, usb, audio, class 0300, mac … or serial …',
    ].join('\n'),
    exitCode: 2,
  });
});

test('parseProfile() shows twenty more problems at most, and holds all of them', () => {
  const text = `[cpu]\n${'x\n'.repeat(100)}`;
  const { message, hint } = errorOf(text);
  assert.equal(message, `${CANNOT} line 2, [cpu] "x" is neither a section nor key = value (and 99 more)`);
  assert.deepEqual(hint?.split('\n').slice(-2), [
    'line 22, [cpu] "x" is neither a section nor key = value',
    '… and 79 more',
  ]);
  assert.throws(
    () => parseProfile(text, ABOUT),
    (error: ProfileError) => error.problems.length === 100,
  );
});

test('parseProfile() does not grow slow over a file full of problems', () => {
  const labels = Array.from({ length: 29_000 }, (_, at) => `a${at}=x`);
  const start = performance.now();
  const { message } = errorOf(`[devices]\n${labels.join('\n')}`);
  assert.match(message, /\(and 28999 more\)$/);
  assert.ok(performance.now() - start < 4000, `${Math.round(performance.now() - start)} ms`);
});

test('parseSourcedProfile() takes keys of the metadata, and the profile before them', () => {
  const metadata = new Map([
    ['cpu.guest', '8-9'],
    ['cpu.governor', 'performance'],
    ['devices.stick', 'usb index 1'],
  ]);
  const { profile, sources } = parseSourcedProfile('[cpu]\nguest = 2-3\n[devices]\ngpu = gpu', {
    ...ABOUT,
    metadata,
  });
  assert.deepEqual(profile, {
    ...DEFAULTS,
    cpu: { ...DEFAULTS.cpu, guest: [2, 3], governor: 'performance' },
    devices: {
      ...DEFAULTS.devices,
      requests: [
        { label: 'gpu', selector: { by: 'class', classPrefix: '03', index: null }, identity: null },
        { label: 'stick', selector: { by: 'class', classPrefix: '0c03', index: 1 }, identity: null },
      ],
    },
  });
  assert.deepEqual(
    new Map([...sources].filter(([, source]) => source !== 'default')),
    new Map([
      ['cpu.guest', 'profile'],
      ['cpu.governor', 'metadata'],
      ['devices.gpu', 'profile'],
      ['devices.stick', 'metadata'],
    ]),
  );
  assert.equal(sources.get('cpu.irqs'), 'default');
});

test('parseProfile() blames the domain for what is wrong in its metadata alone', () => {
  const wrong = new Map([
    ['cpu.guest', 'x'],
    ['cpu.governer', 'performance'],
    ['commands.started', '/bin/sh'],
  ]);
  assert.deepEqual(errorOf('', wrong), {
    name: 'DomainError',
    message:
      'Cannot use the metadata of domain "win11": [cpu] guest is "x", must be a CPU list such as 2-5,10-13 (and 2 more)',
    hint: [
      '[cpu] governer is not a known key, the nearest is governor',
      '[commands] started is in the metadata of the domain, must be in the profile',
    ].join('\n'),
    exitCode: 2,
  });
  assert.equal(errorOf('[cpu]\nguest = y', wrong).name, 'ProfileError');
});

test('parseProfile() ends in a profile or a ProfileError whatever the text', () => {
  const soup = fc
    .array(
      fc.oneof(
        fc.constantFrom(...FULL.split('\n')),
        fc.string({ unit: 'binary' }),
        fc.constantFrom('[', ']', '=', '"', '#', 'toString = 1', '[constructor]'),
      ),
    )
    .map((lines) => lines.join('\n'));
  const mutated = fc
    .tuple(fc.nat(FULL.length), fc.nat(100), fc.string({ unit: 'binary', maxLength: 20 }))
    .map(([at, length, text]) => FULL.slice(0, at) + text + FULL.slice(at + length));
  fc.assert(
    fc.property(fc.oneof(soup, mutated), (text) => {
      try {
        parseProfile(text, ABOUT);
      } catch (error) {
        if (!(error instanceof ProfileError)) throw error;
        assert.doesNotMatch(error.message, /[\0-\x1f\x7f]/);
        assert.ok(error.problems.length > 0);
      }
    }),
    { numRuns: 2000 },
  );
});
