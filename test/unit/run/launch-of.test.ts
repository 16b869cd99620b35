import assert from 'node:assert/strict';
import test from 'node:test';
import type { RunPlan } from '../../../lib/qemu/run-plan.ts';
import { launchOf, printedArgv, realtimeCpus, wishesOf } from '../../../lib/run/launch-of.ts';
import { formatGivingBack, formatPreparation } from '../../../lib/run/paste.ts';

const THREADS: RunPlan['threads'] = {
  vcpus: [[2], null],
  iothreads: [{ id: 'io1', cpus: [1] }],
  emulator: [0],
  realTime: { policy: 'round-robin', priority: 3 },
  wholeProcess: null,
};

const PLAN: RunPlan = {
  guest: 'win 11',
  uuid: 'u',
  argv: ['/usr/bin/qemu', '-machine', 'pc', '-name', 'guest=win 11'],
  environment: { PULSE_SERVER: 'mine' },
  descriptors: [{ fd: 10, path: '/dev/tap1', access: 'read-write' }],
  sidecars: [
    { name: 'swtpm', argv: ['swtpm', 'socket'], socket: '/run/passqemu/run/w/tpm.sock', asUser: true },
  ],
  prepare: {
    folders: ['/run/passqemu/run/w'],
    variables: { from: '/t', to: '/v', record: { path: '/v.from', text: 'x' } },
    once: [{ argv: ['swtpm_setup', '--tpm2'], unless: '/var/tpm' }],
    files: [{ path: '/dev/shm/lg', sizeBytes: 4096 }],
  },
  threads: THREADS,
  sockets: { agent: '/run/passqemu/run/w/agent.sock', serial: null, display: null },
  user: { name: 'u', uid: 1000, gid: 1000 },
  lockedKib: 1024,
  functions: [],
  notes: [],
};
const INPUT = {
  stateDir: '/run/passqemu',
  place: { by: 'scope' } as const,
  env: { DISPLAY: ':0', SECRET: 'x', PATH: '/home/me/bin', PULSE_SERVER: 'theirs' },
  times: { stopMs: 1, quitMs: 1 },
};

test('launchOf() hands on what a window and a sound server need, and nothing else', () => {
  const { env, files, leftovers } = launchOf(PLAN, INPUT);
  assert.equal(env.DISPLAY, ':0');
  assert.equal(env.PULSE_SERVER, 'mine');
  assert.equal(env.SECRET, undefined);
  assert.ok(!env.PATH!.includes('/home'));
  assert.deepEqual(files, PLAN.descriptors);
  assert.deepEqual(leftovers, [
    '/run/passqemu/run/w/tpm.sock',
    '/run/passqemu/run/w/tpm.sock.pid',
    '/run/passqemu/run/w/agent.sock',
    '/run/passqemu/run/w',
  ]);
});

test('launchOf() limits and confines a QEMU that gives up root, not one that stays it', () => {
  assert.equal(
    launchOf(PLAN, INPUT).wrapper.join(' '),
    'systemd-run --scope --quiet --collect --slice=machine.slice --unit=passqemu-win\\x2011.scope -- prlimit --memlock=1048576:1048576 -- setpriv --no-new-privs -- taskset --cpu-list 0',
  );
  const threads = { ...THREADS, emulator: null };
  assert.deepEqual(launchOf({ ...PLAN, threads, user: null }, { ...INPUT, place: null }).wrapper, []);
});

test('launchOf() starts QEMU on the emulator’s CPUs, but not where it has memory to fill', () => {
  const wrapper = (argv: string[]) =>
    launchOf({ ...PLAN, argv, user: null }, { ...INPUT, place: null }).wrapper.join(' ');
  assert.equal(wrapper(PLAN.argv as string[]), 'taskset --cpu-list 0');
  const filled = '-object memory-backend-memfd,id=memory,size=1G,prealloc=on';
  assert.equal(wrapper([...PLAN.argv, ...filled.split(' ')]), '');
});

test('printedArgv() is what is started, without what only the launcher needs', () => {
  const printed = printedArgv(PLAN, INPUT);
  assert.ok(printed.includes('systemd-run') && printed.includes('/usr/bin/qemu'));
  assert.ok(!printed.includes('-S') && !printed.some((word) => word.includes('fd=3')));
});

test('wishesOf() gives every vCPU its scheduling, and those that are pinned their CPUs', () => {
  const rr = { policy: 'rr', priority: 3 };
  assert.deepEqual(wishesOf(THREADS), {
    vcpus: new Map([[0, [2]]]),
    iothreads: new Map([['io1', [1]]]),
    emulator: [0],
    realtime: new Map([
      [0, rr],
      [1, rr],
    ]),
  });
});

test('the whole process as one: the simple form of the guides, and no thread by itself', () => {
  const threads = { ...THREADS, wholeProcess: [4, 5], realTime: null };
  const { wrapper, wishes } = launchOf({ ...PLAN, threads, user: null }, { ...INPUT, place: null });
  assert.equal(wrapper.join(' '), 'chrt --rr 1 taskset --cpu-list 4-5');
  assert.deepEqual([wishes.vcpus.size, wishes.emulator, wishes.realtime.size], [0, null, 0]);
});

test('realtimeCpus() takes a vCPU that nobody pinned for one that may run anywhere', () => {
  const online = [0, 1, 2, 3];
  assert.deepEqual(realtimeCpus(THREADS, online), online);
  assert.deepEqual(realtimeCpus({ ...THREADS, vcpus: [[2], [2, 3]] }, online), [2, 3]);
  assert.deepEqual(realtimeCpus({ ...THREADS, realTime: null }, online), []);
  assert.deepEqual(realtimeCpus({ ...THREADS, wholeProcess: [1] }, online), [1]);
});

test('formatPreparation() overwrites nothing of the guest, and quotes what a shell would read', () => {
  const plan = { ...PLAN, guest: 'a;b', prepare: { ...PLAN.prepare, folders: ["/run/it's"] } };
  assert.deepEqual(formatPreparation(plan, { stateDir: '/run/passqemu', needsPrepare: true }), [
    "passqemu prepare 'a;b'",
    'install -d -m 0755 /run/passqemu',
    "install -d -m 0700 '/run/it'\\''s'",
    '[ -e /v ] || install -m 0600 /t /v',
    '[ -e /var/tpm ] || swtpm_setup --tpm2',
    'truncate -s 4096 /dev/shm/lg',
    'swtpm socket &',
  ]);
});

test('formatGivingBack() releases what was prepared, and removes no folder that the guest keeps', () => {
  const folders = ['/var/lib/passqemu/w', '/run/passqemu/run/w', "/run/passqemu/run/w/it's"];
  const plan = { ...PLAN, prepare: { ...PLAN.prepare, folders } };
  assert.deepEqual(formatGivingBack(plan, { stateDir: '/run/passqemu', needsPrepare: true }), [
    "rmdir --ignore-fail-on-non-empty '/run/passqemu/run/w/it'\\''s' /run/passqemu/run/w /run/passqemu/run",
    "passqemu release 'win 11'",
  ]);
  const bare = { ...PLAN, prepare: { ...PLAN.prepare, folders: [] } };
  assert.deepEqual(formatGivingBack(bare, { stateDir: '/run/passqemu', needsPrepare: false }), []);
});
