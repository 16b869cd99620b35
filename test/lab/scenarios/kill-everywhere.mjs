import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStep, parseLines, readMoments, TRACED } from './kill-moments.mjs';

/**
 * node kill-everywhere.mjs GUEST KILLS SEED SINCE KIND...: kills prepare and release of the guest so many times each, at
 * moments that the seed chooses, in every kind of step at least once; and after each kill has the next passqemu put everything
 * right. A third of the moments is a time, at which a child may be at work; the others are system calls, which are hit exactly.
 */
const [guest, killsText, seedText, since, ...kinds] = process.argv.slice(2);
const kills = Number(killsText);
const journal = `/run/passqemu/${guest}.jsonl`;
/** No prepare or release takes so long, even on a slow machine. */
const PATIENCE_MS = 90_000;
const mark = '/tmp/mark';
const arguments_ = {
  prepare: ['prepare', guest, '--domain', `/tmp/${guest}.xml`],
  release: ['release', guest],
};
const random = randomNumbers(Number(seedText));
const hits = { prepare: new Map(), release: new Map() };
let [count, failed] = [0, 0];

const { moments, took } = reference();
const found = (phase) => [...new Set(moments[phase].map(({ kind }) => kind))].sort().join(' ');
for (const phase of ['prepare', 'release'])
  check(
    `${phase} has moments in every kind of step`,
    found(phase) === [...kinds].sort().join(' ') || found(phase),
  );

for (const phase of ['prepare', 'release']) {
  for (let done = 0, missed = 0; done < kills && missed < kills + 10; ) {
    const moment = choose(phase, done);
    const begun = performance.now();
    const result = await round(phase, moment);
    if (result === null) {
      console.log(`# ${phase} was over before its moment: ${describe(moment)}`);
      missed++;
      continue;
    }
    done++;
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    check(
      `${phase} ${done} killed inside ${result.open ?? 'no step'} (${describe(moment)}), ${seconds} s`,
      result.state,
    );
  }
  const missing = kinds.filter((kind) => !hits[phase].has(kind));
  check(
    `${phase} was killed ${kills} times, in every kind of step`,
    missing.length === 0 || `never in ${missing.join(' ')}`,
  );
}
for (const [phase, counted] of Object.entries(hits))
  console.log(`# ${phase}: ${[...counted].map(([kind, times]) => `${times} in ${kind}`).join(', ')}`);
console.log(`${count - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

/** One whole prepare and release under strace, and another pair without, to know how long they take. */
function reference() {
  const steps = new Map();
  const moments = {};
  const took = {};
  for (const phase of ['prepare', 'release']) {
    const trace = `/tmp/${phase}.trace`;
    const options = ['-f', '--seccomp-bpf', '-qqq', '-y', '-s', '160', '-e', `trace=${TRACED}`, '-o', trace];
    if (phase === 'prepare') unload();
    run(['strace', ...options, 'passqemu', ...arguments_[phase]], 0);
    moments[phase] = readMoments(readFileSync(trace, 'utf8'), journal, steps);
  }
  for (const phase of ['prepare', 'release']) {
    const begun = performance.now();
    if (phase === 'prepare') unload();
    run(['passqemu', ...arguments_[phase]], 0);
    took[phase] = performance.now() - begun;
  }
  check('a prepare and release that nobody kills change nothing', compare());
  return { moments, took };
}

/** First a system call in each kind, then a time and two of any calls in turn. */
function choose(phase, done) {
  const of = (kind) => moments[phase].filter((moment) => moment.kind === kind);
  const missing = kinds.filter((kind) => !hits[phase].has(kind));
  if (missing.length > 0) return pick(of(pick(missing)));
  if (done % 3 === 0) return { after: took[phase] * (0.3 + 0.7 * random()) };
  return pick(of(pick(kinds)));
}

/** Kills one run and has it put right; null where the run ended before the moment came. */
async function round(phase, moment) {
  if (phase === 'release' || existsSync(journal)) {
    unload();
    run(['passqemu', ...arguments_.prepare], 0);
  } else unload();
  const isKilled = 'after' in moment ? await killAfter(phase, moment) : await killAt(phase, moment);
  if (!isKilled || !existsSync(journal)) {
    if (existsSync(journal)) run(['passqemu', 'release', guest], 0);
    return null;
  }
  const lines = parseLines(readFileSync(journal, 'utf8'));
  const open = openStep(lines, phase);
  if (open !== null) hits[phase].set(open, (hits[phase].get(open) ?? 0) + 1);
  return { open, state: putRight(lines) };
}

/** By recover, which must leave alone what a person prepared and nobody has begun to release; then by release. */
function putRight(lines) {
  const isWhole =
    lines.some(({ t }) => t === 'ready') && !lines.some(({ t }) => t === 'pending' || t === 'undone');
  const by = isWhole || random() < 0.5 ? ['release', guest] : ['recover'];
  const said = run(['passqemu', ...by], null);
  const state = said.status === 0 ? compare() : `${by.join(' ')} ended with ${said.status}`;
  if (state === true) return true;
  const told = lines.map((line) => JSON.stringify(line)).join('\n');
  return `${state}\n${by.join(' ')} said:\n${said.output}the journal was:\n${told}`;
}

async function killAt(phase, { call, path, count: nth }) {
  const inject = `inject=${call}:delay_enter=1000s:when=${nth}`;
  const options = [
    '-D',
    '-f',
    '--seccomp-bpf',
    '-qqq',
    '-o',
    '/dev/null',
    '-P',
    path,
    '-e',
    `trace=${call}`,
    '-e',
    inject,
  ];
  // strace is a grandchild: the process that we start is passqemu itself
  return kill(
    spawn('strace', [...options, 'passqemu', ...arguments_[phase]], { stdio: 'ignore' }),
    async (isOver, pid) => {
      const until = performance.now() + PATIENCE_MS;
      for (
        let seen = 0;
        seen < 4 && !isOver() && performance.now() < until;
        seen = isHeld(pid) ? seen + 1 : 0
      )
        await sleep(25);
      if (performance.now() >= until)
        console.log(
          spawnSync(
            'sh',
            [
              '-c',
              'ps -eLo pid,ppid,stat,wchan:20,args | grep -v "\\[" ; cat /run/passqemu/all.jsonl | grep -v "^$"',
            ],
            { encoding: 'utf8' },
          ).stdout,
        );
    },
  );
}

async function killAfter(phase, { after }) {
  const child = spawn('passqemu', arguments_[phase], { stdio: 'ignore' });
  return kill(child, async (isOver) => {
    for (let left = after; left > 0 && !isOver(); left -= 25) await sleep(Math.min(left, 25));
  });
}

/** Whether the child was killed, and not over before its moment had come. */
async function kill(child, itsMoment) {
  let over = null;
  const ended = new Promise((resolve) => {
    child.on('exit', (status, signal) => {
      over = { status, signal };
      resolve();
    });
  });
  await itsMoment(() => over !== null, child.pid);
  child.kill('SIGKILL');
  await ended;
  return over.signal === 'SIGKILL';
}

/** Held by strace; every traced call stops it for a moment too, so once says nothing. */
function isHeld(pid) {
  try {
    return /\) t /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** So that loading the modules is a step of every prepare. */
function unload() {
  spawnSync('modprobe', ['-r', 'vfio_pci', 'vfio_iommu_type1'], { stdio: 'ignore' });
}

/** True, or how the machine differs from the one before. */
function compare() {
  const dump = spawnSync('sh', ['-c', `state-dump.sh ${since} >/tmp/state.after`], { encoding: 'utf8' });
  if (dump.status !== 0) return `state-dump.sh ended with ${dump.status}: ${dump.stderr}`;
  const diff = spawnSync('python3', ['/lab/files/state-diff.py', '/tmp/state.before', '/tmp/state.after'], {
    encoding: 'utf8',
  });
  if (diff.status !== 0) return diff.stdout + diff.stderr;
  if (existsSync(mark)) return `${mark}, which the user's own command made, is still there`;
  return true;
}

function run([program, ...rest], wanted) {
  const { status, stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8', timeout: 180_000 });
  if (wanted !== null && status !== wanted)
    throw new Error(`${program} ${rest.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
  return { status, output: stdout + stderr };
}

function check(name, result) {
  count++;
  if (result === true) {
    console.log(`ok ${count} - ${name}`);
    return;
  }
  failed++;
  console.log(`not ok ${count} - ${name}\n${String(result).trimEnd().replace(/^/gm, '#   ')}`);
}

function describe(moment) {
  return 'after' in moment
    ? `after ${Math.round(moment.after)} ms`
    : `${moment.call} ${moment.path}, number ${moment.count}`;
}

function pick(list) {
  return list[Math.floor(random() * list.length)];
}

/** The same numbers from 0 to 1 for the same seed (mulberry32). */
function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
