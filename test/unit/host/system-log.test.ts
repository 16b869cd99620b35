import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SystemLog } from '../../../lib/host/system-log.ts';

test('SystemLog hands over all lines to a journal that has closed its own direction', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'passqemu-log-'));
  const server = createServer({ allowHalfOpen: true });
  try {
    const journal = path.join(folder, 'stdout');
    server.listen(journal);
    await once(server, 'listening');
    const connected = once(server, 'connection') as Promise<[Socket]>;
    const log = new SystemLog(journal);
    log.add('notice', 'first');
    const [socket] = await connected;
    let heard = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      heard += text;
    });
    const ended = once(socket, 'end');
    // As journald does: shutdown(fd, SHUT_WR)
    socket.end();
    await sleep(50);
    log.add('info', 'second\nwith a break');
    await log.flush();
    await ended;
    assert.equal(heard, 'passqemu\n\n6\n1\n0\n0\n0\n<5>first\n<6>second ⏎ with a break\n');
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
