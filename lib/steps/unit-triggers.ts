import type { Host } from '../host/host.ts';

const LIVES = ['active', 'activating', 'reloading'];

/**
 * The sockets, timers and paths that run now and would start the unit again (TriggeredBy= in systemd.unit(5)): Docker's
 * `docker.socket`. `systemctl` is the program with the words that say whose manager. None where it does not answer.
 */
export async function findTriggers(
  host: Host,
  systemctl: readonly string[],
  unit: string,
  timeoutMs: number,
): Promise<readonly string[]> {
  const show = async (properties: string, units: readonly string[]) => {
    const argv = [...systemctl, 'show', `--property=${properties}`, '--', ...units];
    const { status, stdout } = await host.run(argv, { timeoutMs });
    return status === 0 ? stdout : '';
  };
  const triggers = parseTriggers(await show('TriggeredBy', [unit]));
  return triggers.length === 0 ? [] : parseLiving(await show('Id,ActiveState', triggers));
}

function parseTriggers(text: string): readonly string[] {
  const line = /^TriggeredBy=(.*)$/m.exec(text)?.[1] ?? '';
  return line.split(' ').filter((name) => /^[\w:@.\\-]{1,255}\.(?:socket|timer|path)$/.test(name));
}

/** A block of lines for each unit, in any order. */
function parseLiving(text: string): readonly string[] {
  return text.split('\n\n').flatMap((block) => {
    const name = /^Id=(.+)$/m.exec(block)?.[1];
    const state = /^ActiveState=(.+)$/m.exec(block)?.[1];
    return name !== undefined && LIVES.includes(state ?? '') ? [name] : [];
  });
}
