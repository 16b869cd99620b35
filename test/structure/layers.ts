import type { Import } from './source-files.ts';

/** The layers of the project, lowest first; a file imports from its own layer or a lower one. */
const LAYERS: readonly (readonly string[])[] = [
  ['lib/words'],
  ['lib/inputs', 'lib/convert'],
  ['lib/host'],
  ['lib/plan', 'lib/qemu', 'lib/doctor'],
  ['lib/steps', 'lib/apply', 'lib/run', 'lib/setup'],
  ['hooks', 'launchers'],
];

/** Within a layer, too, some look only one way: what is on the left must not import what is on the right. */
const ONE_WAY: readonly (readonly [string, string])[] = [
  ['lib/steps', 'lib/apply'],
  ['lib/steps', 'lib/run'],
  ['lib/apply', 'lib/run'],
  ['hooks', 'launchers'],
  ['lib/inputs', 'lib/convert'],
];

/** Modules that are the machine, and packages, with the only folders that may import them. */
const RESERVED: readonly (readonly [RegExp, string])[] = [
  [/^node:(fs|child_process|net|dgram|worker_threads)(\/|$)/, 'lib/host'],
  [/^(zx|minimist|@clack)(\/|$)/, 'launchers'],
];

/** Imports that look up, or sideways where that is not allowed; one sentence each. */
export function findUpwardImports(imports: readonly Import[]): string[] {
  return imports.flatMap(({ from, to }) => {
    if (!to.includes('.ts')) return [];
    const [low, high] = [layerOf(from), layerOf(to)];
    if (low === null || high === null) return [`${from} imports ${to}, which is in no layer`];
    const sideways = ONE_WAY.some(([left, right]) => isIn(from, left) && isIn(to, right));
    return high > low || sideways ? [`${from} must not import ${to}`] : [];
  });
}

/** Imports of the machine or of a package from where they must not be. */
export function findReservedImports(imports: readonly Import[]): string[] {
  return imports.flatMap(({ from, to }) =>
    RESERVED.flatMap(([pattern, folder]) =>
      pattern.test(to) && !isIn(from, folder) ? [`${from} must not import ${to}: only ${folder} does`] : [],
    ),
  );
}

/** Planner and checks are data in, data out: they know the host's pictures and words about them, never a reader or the Host itself. */
export function findImpurePlans(imports: readonly Import[]): string[] {
  return imports
    .filter(
      ({ from, to }) =>
        ['lib/plan', 'lib/qemu', 'lib/doctor'].some((pure) => isIn(from, pure)) && isIn(to, 'lib/host'),
    )
    .filter(
      ({ names, typeOnly }) => /\bHost\b/.test(names) || (!typeOnly && /\b(read|find)[A-Z]/.test(names)),
    )
    .map(({ from, to }) => `${from} must not touch the host by ${to}`);
}

/** Circles of imports, each once, as "a.ts → b.ts → a.ts". */
export function findCircles(imports: readonly Import[]): string[] {
  const targets = new Map<string, string[]>();
  for (const { from, to } of imports) targets.set(from, [...(targets.get(from) ?? []), to]);
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    const at = way.indexOf(file);
    if (at >= 0) circles.push([...way.slice(at), file].join(' → '));
    if (at >= 0 || done.has(file)) return;
    for (const next of targets.get(file) ?? []) visit(next, [...way, file]);
    done.add(file);
  };
  for (const file of targets.keys()) visit(file, []);
  return circles;
}

/** What can be reached from these files by imports, they themselves included. */
export function reachableFrom(faces: readonly string[], imports: readonly Import[]): ReadonlySet<string> {
  const reached = new Set<string>();
  const visit = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const { from, to } of imports) if (from === file) visit(to);
  };
  for (const face of faces) visit(face);
  return reached;
}

function layerOf(path: string): number | null {
  const at = LAYERS.findIndex((folders) => folders.some((folder) => isIn(path, folder)));
  return at < 0 ? null : at;
}

function isIn(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}
