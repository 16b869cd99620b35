import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './command.mjs';
import { ExpectedError } from './step.mjs';

/**
 * The lab's scenarios: the programs test/lab/scenarios/*.sh. Each says in its head, in one line or several, where it is run:
 *
 *     # lab: in=short tier=mid,full suite=bookworm,trixie timeout=120 -- arguments of the script
 *
 * `in` is short (npm test), full (.ci/run) or soak. Lists mean every combination, but the short run takes the first of each
 * only; the full run takes all combinations of both but those that the short one has. Further words are options of
 * `npm run lab`: iommu=amd, gpu=none, mem=8G, uefi, sriov, kvm-nested.
 */
const FOLDER = join('test', 'lab', 'scenarios');
const LISTS = { tier: ['mid'], suite: ['bookworm'], iommu: ['intel'] };
const OPTIONS = ['gpu', 'boot-gpu', 'mem', 'timeout', 'append', 'qemu-arg'];
const SWITCHES = ['uefi', 'sriov', 'kvm-nested'];
const RUNS = ['short', 'full', 'soak'];

/** The runs of 'short', 'full' or 'soak': { name, file, tier, suite, iommu, argv }. */
export function listRuns(wanted) {
  const files = readdirSync(join(root, FOLDER)).filter((name) => name.endsWith('.sh'));
  return chooseRuns(
    wanted,
    new Map(files.sort().map((name) => [name, readFileSync(join(root, FOLDER, name), 'utf8')])),
  );
}

/** The same of scenarios given as texts by their names. */
export function chooseRuns(wanted, texts) {
  const rows = [...texts].flatMap(([name, text]) =>
    readRows(join(FOLDER, name), name.replace(/\.sh$/, ''), text),
  );
  const short = rows.filter((row) => row.in.includes('short')).map((row) => combine(row)[0]);
  if (wanted === 'short') return short;
  if (wanted === 'soak') return rows.filter((row) => row.in.includes('soak')).flatMap(combine);
  const done = new Set(short.map(({ argv }) => argv.join(' ')));
  const all = rows.filter((row) => row.in.includes('short') || row.in.includes('full')).flatMap(combine);
  return all.filter(({ argv }) => !done.has(argv.join(' ')));
}

function readRows(file, name, text) {
  const lines = text.split('\n');
  const rows = lines
    .filter((line) => line.startsWith('# lab:'))
    .map((line) => parseRow(line.slice(6), file, name));
  // What scenarios source has no first line of its own
  if (rows.length === 0 && lines[0]?.startsWith('#!'))
    throw new ExpectedError(`Cannot run ${file}: no line begins with "# lab:", which says where it is run`);
  return rows;
}

function parseRow(text, file, name) {
  const [head, ...rest] = text.trim().split(' -- ');
  const row = {
    name,
    file,
    ...LISTS,
    in: [],
    options: [],
    words: rest.join(' -- ').split(/\s+/).filter(Boolean),
  };
  for (const word of head.split(/\s+/)) {
    const [key, value] = word.split(/=(.*)/s);
    if (SWITCHES.includes(word)) row.options.push(`--${word}`);
    else if (OPTIONS.includes(key) && value) row.options.push(`--${key}=${value}`);
    else if (key === 'in' && value?.split(',').every((one) => RUNS.includes(one))) row.in = value.split(',');
    else if (key in LISTS && value) row[key] = value.split(',');
    else throw new ExpectedError(`Cannot run ${file}: unknown word "${word}" in "# lab:${text}"`);
  }
  if (row.in.length === 0)
    throw new ExpectedError(`Cannot run ${file}: "# lab:${text}" lacks in=short, in=full or in=soak`);
  return row;
}

/** Every combination of a row's lists, the first of each first. */
function combine({ name, file, tier: tiers, suite: suites, iommu: iommus, options, words }) {
  const combinations = iommus.flatMap((iommu) =>
    suites.flatMap((suite) => tiers.map((tier) => ({ iommu, suite, tier }))),
  );
  return combinations.map(({ iommu, suite, tier }) => ({
    name: [name, ...(iommu === 'intel' ? [] : [iommu]), ...words].join(' '),
    file,
    tier,
    suite,
    argv: [`--tier=${tier}`, `--suite=${suite}`, `--iommu=${iommu}`, ...options, file, ...words],
  }));
}
