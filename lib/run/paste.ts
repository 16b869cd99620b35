import { formatArgvWords } from '../inputs/argv-words.ts';
import type { RunPlan } from '../qemu/run-plan.ts';

/**
 * What must be done before a printed command line can be pasted, as lines of a shell: what the launcher would do by itself. Nothing of
 * the guest's own is overwritten.
 */
export function formatPreparation(
  { guest, prepare, sidecars }: RunPlan,
  about: { readonly stateDir: string; readonly needsPrepare: boolean },
): string[] {
  const lines = about.needsPrepare ? [line('passqemu', 'prepare', guest)] : [];
  lines.push(line('install', '-d', '-m', '0755', about.stateDir));
  const folders = prepare.folders.filter((folder) => folder !== about.stateDir);
  if (folders.length > 0) lines.push(line('install', '-d', '-m', '0700', ...folders));
  const { variables } = prepare;
  if (variables !== null) {
    const copy = line('install', '-m', '0600', variables.from, variables.to);
    lines.push(`[ -e ${line(variables.to)} ] || ${copy}`);
  }
  for (const { argv, unless } of prepare.once) lines.push(`[ -e ${line(unless)} ] || ${line(...argv)}`);
  for (const { path, sizeBytes } of prepare.files)
    lines.push(line('truncate', '-s', String(sizeBytes), path));
  for (const { argv } of sidecars) lines.push(`${line(...argv)} &`);
  return lines;
}

/** What gives everything back once the pasted QEMU has ended, as lines of a shell; what the guest keeps stays. */
export function formatGivingBack(
  { guest, prepare }: RunPlan,
  about: { readonly stateDir: string; readonly needsPrepare: boolean },
): string[] {
  const run = `${about.stateDir}/run`;
  const folders = [...prepare.folders.filter((folder) => folder.startsWith(`${run}/`))].reverse();
  return [
    ...(folders.length > 0 ? [line('rmdir', '--ignore-fail-on-non-empty', ...folders, run)] : []),
    ...(about.needsPrepare ? [line('passqemu', 'release', guest)] : []),
  ];
}

function line(...words: readonly string[]): string {
  return formatArgvWords(words);
}
