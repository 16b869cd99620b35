import { prepareInputs } from '../lib/apply/prepare-inputs.ts';
import { releaseGuest } from '../lib/apply/release.ts';
import type { Report } from '../lib/apply/report.ts';
import { storyPath } from '../lib/apply/story.ts';
import { readCgroupOf } from '../lib/host/cgroups.ts';
import { watchSignals } from '../lib/host/signals.ts';
import { isSystemd } from '../lib/host/systemd.ts';
import { formatMs, parseDurationMs } from '../lib/inputs/profile-values.ts';
import { UsageError } from '../lib/words/errors.ts';
import type { CommandLine } from './command-line.ts';
import type { Globals } from './globals.ts';
import { readInputs } from './inputs.ts';
import { watchingReport } from './watching-report.ts';

const LOCK_WAIT_MS = 60_000;
const USUAL_MS = 30_000;
const LONGEST_MS = 3_600_000;
/** What handing over and taking back may take beside the time in between, where every step takes its longest. */
const BESIDE_MS = 1_200_000;
const UNIT = 'passqemu-rehearsal';
const TELL_MS = 10_000;

/** One step, and how long it took there and back; null where it was not done. */
export interface RehearsedStep {
  readonly step: string;
  readonly what: 'done' | 'failed' | 'undone' | 'not undone';
  readonly tookMs: number;
}

/**
 * `passqemu prepare <guest> --rehearse [--for 30s]`: takes everything the guest needs and gives it back after a while, without a
 * guest, and tells how long each step took. On systemd it first moves to a unit of its own: a desktop that ends takes along
 * whatever was started in it.
 */
export async function rehearse(line: CommandLine, globals: Globals): Promise<number> {
  const word = line.value('for');
  const forMs = word === null ? USUAL_MS : parseDurationMs(word);
  if (forMs === null || forMs > LONGEST_MS)
    throw new UsageError(`--for is ${JSON.stringify(word)}, must be a duration such as 30s, at most 1h`);
  const { host } = globals;
  const isOut = (readCgroupOf(host, 'self') ?? '').includes(`/${UNIT}-`);
  if (host.root === '/' && isSystemd(host) && !isOut) return moveOut(line, globals, forMs);
  return rehearseHere(line, globals, forMs);
}

/** Runs this very command as a unit of the system; if our terminal goes, the unit goes on, and the story of it is in its file. */
async function moveOut(
  line: CommandLine,
  { host, stateDir, out, err }: Globals,
  forMs: number,
): Promise<number> {
  if (line.value('domain') === '-')
    throw new UsageError(
      '--rehearse cannot read the domain XML from standard input',
      'Write it to a file first',
    );
  const guest = line.words[0] ?? '';
  err(
    `The rehearsal runs as a unit of its own and takes ${formatMs(forMs)} and what the steps need; its story: ${storyPath(stateDir, guest)}`,
  );
  const unit = `${UNIT}-${host.self().pid}`;
  const argv = [
    ...['systemd-run', '--quiet', '--collect', '--wait', '--pipe', `--unit=${unit}`],
    ...[`--working-directory=${process.cwd()}`, '--', process.execPath, ...process.argv.slice(1)],
  ];
  // Not what a session's end sends (SIGHUP, SIGTERM): that is what the rehearsal is to survive
  const interrupted = watchSignals(['SIGINT']);
  let isOver = false;
  const running = host.run(argv, { timeoutMs: forMs + BESIDE_MS }).finally(() => {
    isOver = true;
  });
  while (!isOver && interrupted() === null) await Promise.race([running, host.sleep(200)]);
  if (!isOver) {
    err('The rehearsal is told to give everything back at once');
    const told = ['systemctl', 'kill', '--kill-who=main', '--signal=SIGINT', `${unit}.service`];
    await host.run(told, { timeoutMs: TELL_MS });
  }
  const { status, stdout, stderr } = await running;
  if (stdout !== '') out(stdout.trimEnd());
  if (stderr !== '') err(stderr.trimEnd());
  return status ?? 1;
}

async function rehearseHere(line: CommandLine, globals: Globals, forMs: number): Promise<number> {
  const interrupted = watchSignals();
  const inputs = await readInputs(line, globals);
  const { host, stateDir, out, json } = globals;
  const { guest } = inputs;
  const steps: RehearsedStep[] = [];
  const report = timing(watchingReport({ ...globals, quiet: true }, guest, 'rehearsal'), steps);
  const owner = { kind: 'launcher', ...host.self() } as const;
  const terms = { stateDir, owner, lockWaitMs: LOCK_WAIT_MS, interrupted };
  const done = await prepareInputs(host, inputs, terms, report);
  if (done === 'adopted')
    throw new UsageError(`${guest} is prepared already`, `passqemu release ${guest} first`);
  host.unlock();
  const until = host.now() + forMs;
  while (host.now() < until && interrupted() === null)
    await host.sleep(Math.min(200, Math.max(1, until - host.now())));
  await releaseGuest(host, { stateDir, guest, uuid: async () => null, lockWaitMs: LOCK_WAIT_MS }, report);
  out(json ? JSON.stringify({ guest, steps }) : formatRehearsal(guest, steps));
  return 0;
}

/** The same report, with each step's time noted down. */
function timing(report: Report, steps: RehearsedStep[]): Report {
  return {
    step(what, words, tookMs) {
      steps.push({ step: words, what, tookMs });
      report.step(what, words, tookMs);
    },
    note: report.note,
  };
}

/** Both ways with the time of each step and the sums. */
export function formatRehearsal(guest: string, steps: readonly RehearsedStep[]): string {
  const way = (title: string, wanted: readonly RehearsedStep[]): string[] => {
    const sum = wanted.reduce((total, { tookMs }) => total + tookMs, 0);
    return [
      `${title} (${sum} ms):`,
      ...wanted.map(({ step, tookMs }) => `  ${String(tookMs).padStart(7)} ms  ${step}`),
    ];
  };
  const there = steps.filter(({ what }) => what === 'done' || what === 'failed');
  const back = steps.filter(({ what }) => what === 'undone' || what === 'not undone');
  return [
    ...way(`Handing over to ${guest}`, there),
    ...way('Taking back', back),
    'Everything is back as it was',
  ].join('\n');
}
