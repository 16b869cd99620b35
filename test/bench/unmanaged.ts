import { spawnSync } from 'node:child_process';
import path from 'node:path';
import type { Measured } from './measured.ts';
import { median, ratioOf } from './ratio.ts';

/** What libvirt's call of the hook may cost for a guest that is not ours, in calls of a shell that does nothing. */
export const UNMANAGED_BOUND = 1.25;

const PAIRS = 60;
/** So many calls in one loop of a shell: starting that shell weighs as little on both sides. */
const CALLS = 25;
const NOTHING = 'sh -c :';
/** As libvirt starts it. */
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

/** The built hook for a guest without a profile, and where nobody holds anything, against a shell that does nothing. */
export function measureUnmanaged(checkout: string): Measured[] {
  const hook = path.join(checkout, 'dist', 'qemu');
  return ['prepare begin', 'started begin', 'release end'].map((operation) => {
    const pairs: [number, number][] = [];
    for (let index = 0; index < PAIRS; index++)
      pairs.push(measurePair(`${hook} passqemu-bench ${operation} -`));
    const callMs = median(pairs.map(([ms]) => ms / CALLS));
    return {
      what: `hook, ${operation.split(' ')[0]} of a guest that is not ours, to \`${NOTHING}\``,
      ratio: ratioOf(pairs),
      bound: UNMANAGED_BOUND,
      note: `\`${NOTHING}\` ${callMs.toFixed(2)} ms`,
    };
  });
}

/** Which comes first alternates with the clock, so that neither side always meets the other's leftovers. */
function measurePair(call: string): [number, number] {
  if (Math.random() < 0.5) {
    const nothing = loopMs(NOTHING);
    return [nothing, loopMs(call)];
  }
  const ours = loopMs(call);
  return [loopMs(NOTHING), ours];
}

function loopMs(call: string): number {
  const loop = `i=0; while [ $i -lt ${CALLS} ]; do ${call} </dev/null || exit 1; i=$((i+1)); done`;
  const begun = performance.now();
  const { status } = spawnSync('/bin/sh', ['-c', loop], { stdio: 'ignore', env: ENVIRONMENT, cwd: '/' });
  const ms = performance.now() - begun;
  if (status !== 0) throw new Error(`${call} ended with ${status}`);
  return ms;
}
