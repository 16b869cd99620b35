import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Measured } from './measured.ts';
import { median, ratioOf } from './ratio.ts';

const PAIRS = 31;

/**
 * What our own JavaScript costs before it does anything: the bundle loaded by node, for a release with nothing held and for a
 * prepare without a profile (the sh in front of it would not have started node), against a node that does nothing.
 */
export function measureStartUp(checkout: string): Measured[] {
  const bundle = path.join(checkout, 'dist', 'qemu');
  // With a journal there this would be a true release
  if (existsSync('/run/passqemu')) return [];
  return ['prepare begin', 'release end'].map((operation) => {
    const pairs: [number, number][] = [];
    for (let index = 0; index < PAIRS; index++) {
      pairs.push([nodeMs(['-e', '0']), nodeMs([bundle, 'passqemu-bench', ...operation.split(' '), '-'])]);
    }
    return {
      what: `hook under node, ${operation.split(' ')[0]} with nothing to do, to \`node -e 0\``,
      ratio: ratioOf(pairs),
      bound: null,
      note: `\`node -e 0\` ${median(pairs.map(([ms]) => ms)).toFixed(0)} ms`,
    };
  });
}

function nodeMs(argv: readonly string[]): number {
  const begun = performance.now();
  const { status } = spawnSync(process.execPath, argv, { stdio: 'ignore', cwd: '/' });
  const ms = performance.now() - begun;
  if (status !== 0) throw new Error(`node ${argv.join(' ')} ended with ${status}`);
  return ms;
}
