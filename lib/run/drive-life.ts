import type { Host, ProcessIdentity } from '../host/host.ts';
import { PassqemuError } from '../words/errors.ts';
import { BORN, type Life, type LifeAction, type LifeInput, type LifeTimes, stepLife } from './life.ts';
import type { QmpClient } from './qmp-client.ts';

/** What a guest's life is led with. */
export interface LifeTools {
  readonly host: Host;
  readonly qmp: QmpClient;
  readonly qemu: ProcessIdentity;
  readonly times: LifeTimes;
  /** Where the guest stands now. */
  readonly phase: Life['phase'];
  /** A line for the person. */
  say(line: string): void;
  /** The guest has begun anew: whether its threads are still where they belong. */
  lookAfterThreads(): Promise<void>;
}

/** A life that goes on until `end` is called. */
export interface DrivenLife {
  /** A person wants the guest to end; once more and more firmly each time. */
  ask(): void;
  /** Somebody who will not come back wants it to end. */
  order(): void;
  end(): Life;
}

/** Firmware resets its board several times in a row (SeaBIOS on q35): for people that is one reboot. */
const SAME_MS = 5_000;

/** Leads a guest's life: events and wishes go in, what stepLife() says is done. A command that QEMU refuses is told, not thrown. */
export function driveLife(tools: LifeTools): DrivenLife {
  const { host, qmp, qemu, times, say } = tools;
  let life: Life = { ...BORN, phase: tools.phase };
  let timer: NodeJS.Timeout | null = null;
  const tell = (error: unknown) => {
    if (!(error instanceof PassqemuError)) throw error;
    say(error.message);
  };
  const act = async (action: Exclude<LifeAction, AtOnce>): Promise<void> => {
    switch (action.do) {
      case 'kill':
        return void host.signal(qemu, 'SIGKILL');
      case 'quit':
        // QEMU that no longer listens may still hear a signal
        await qmp.execute('quit').catch(() => host.signal(qemu, 'SIGTERM'));
        return;
      case 'look after threads':
        return tools.lookAfterThreads().catch(tell);
      default:
        await qmp.execute(COMMANDS[action.do]).catch(tell);
    }
  };
  const restart = (ms: number) => {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(() => feed({ is: 'time' }), ms);
  };
  let last = { line: '', at: 0 };
  const sayOnce = (line: string) => {
    const at = host.now();
    if (line !== last.line || at - last.at > SAME_MS) say(line);
    last = { line, at };
  };
  const feed = (input: LifeInput): void => {
    const next = stepLife(life, input, times);
    life = next.life;
    let before = Promise.resolve();
    for (const action of next.actions) {
      if (action.do === 'say') sayOnce(action.line);
      else if (action.do === 'wait') restart(action.ms);
      // One after the other: an order to go on must come before the button
      else before = before.then(() => act(action));
    }
  };
  const forget = qmp.onEvent((event) => feed({ is: 'event', event }));
  return {
    ask: () => feed({ is: 'ask' }),
    order: () => feed({ is: 'order' }),
    end: () => {
      forget();
      if (timer !== null) clearTimeout(timer);
      return life;
    },
  };
}

type AtOnce = Extract<LifeAction, { readonly do: 'say' | 'wait' }>;

const COMMANDS = { wake: 'system_wakeup', continue: 'cont', powerdown: 'system_powerdown' } as const;
