import { connect } from 'node:net';
import { HostError } from '../words/errors.ts';
import type { Question } from './host.ts';

const LONGEST = 1 << 20;

/** Host.exchange() on the real machine. */
export function exchange(path: string, { request, isWhole, timeoutMs }: Question): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let answer = Buffer.alloc(0);
    const socket = connect({ path });
    const timer = setTimeout(() => fail('ETIMEDOUT'), timeoutMs);
    const fail = (code: string) => {
      clearTimeout(timer);
      socket.destroy();
      reject(new HostError(`Cannot talk to ${path}: ${code}`, { code, path }));
    };
    socket.on('error', (cause: NodeJS.ErrnoException) => fail(cause.code ?? 'EIO'));
    socket.on('end', () => fail('ECONNRESET'));
    socket.on('data', (part: Buffer) => {
      answer = Buffer.concat([answer, part]);
      let whole = false;
      try {
        whole = isWhole(answer);
      } catch {
        fail('EPROTO');
        return;
      }
      if (whole) {
        clearTimeout(timer);
        socket.destroy();
        resolve(answer);
      } else if (answer.length > LONGEST) fail('EMSGSIZE');
    });
    socket.write(request);
  });
}
