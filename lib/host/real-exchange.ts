import { connect } from 'node:net';
import { HostError } from '../words/errors.ts';
import type { Saying } from './host.ts';

const LONGEST = 1 << 20;

/** Host.exchange() on the real machine. */
export function exchange(path: string, sayings: readonly Saying[], timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let heard = Buffer.alloc(0);
    let at = 0;
    const socket = connect({ path });
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
    };
    const fail = (code: string) => {
      end();
      reject(new HostError(`Cannot talk to ${path}: ${code}`, { code, path }));
    };
    const timer = setTimeout(() => fail('ETIMEDOUT'), timeoutMs);
    socket.on('error', (cause: NodeJS.ErrnoException) => fail(cause.code ?? 'EIO'));
    socket.on('end', () => fail('ECONNRESET'));
    socket.on('data', (part: Buffer) => {
      heard = Buffer.concat([heard, part]);
      try {
        while (sayings[at]?.isAnswered(heard)) say(++at);
      } catch {
        fail('EPROTO');
        return;
      }
      if (at >= sayings.length) {
        end();
        resolve(heard);
      } else if (heard.length > LONGEST) fail('EMSGSIZE');
    });
    const say = (index: number) => {
      if (index < sayings.length) socket.write(sayings[index]!.bytes);
    };
    say(at);
  });
}
