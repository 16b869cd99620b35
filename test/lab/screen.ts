import { existsSync, watch } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import path from 'node:path';
import type { RunFolder } from './run-folder.ts';
import type { Say } from './words.ts';

/** What a script writes to /lab/out to ask for a picture: the file is removed when NAME.ppm is there. */
const WISH = /^([a-z0-9-]+)\.screen$/;

/**
 * Takes pictures of the machine's screen for its script, from outside, where no driver of the machine can flatter:
 * QEMU's screendump of the first display. Returns how to stop that.
 */
export function serveScreens(run: RunFolder, say: Say): () => void {
  let before = Promise.resolve();
  const watcher = watch(run.out, (_event, file) => {
    const name = WISH.exec(file ?? '')?.[1];
    if (name === undefined || !existsSync(path.join(run.out, `${name}.screen`))) return;
    before = before.then(() => take(run, name)).catch((error) => say(`no picture of the screen: ${error}`));
  });
  return () => watcher.close();
}

async function take(run: RunFolder, name: string): Promise<void> {
  const wish = path.join(run.out, `${name}.screen`);
  if (!existsSync(wish)) return;
  try {
    const picture = path.join(run.folder, `${name}.ppm`);
    await ask(run.monitor, { execute: 'screendump', arguments: { filename: picture } });
    await rename(picture, path.join(run.out, `${name}.ppm`));
  } finally {
    await rm(wish, { force: true });
  }
}

/** One command of QMP on a connection of its own (QEMU's docs/interop/qmp-spec). */
function ask(socket: string, command: object): Promise<void> {
  return new Promise((resolve, reject) => {
    const connection = createConnection(socket);
    let text = '';
    let answers = 0;
    connection.on('error', reject);
    connection.on('close', () => reject(new Error('the monitor has closed the connection')));
    connection.on('data', (bytes) => {
      text += bytes;
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        const message = JSON.parse(line) as { QMP?: object; return?: object; error?: { desc: string } };
        if (message.QMP !== undefined)
          connection.write(`{"execute": "qmp_capabilities"}\n${JSON.stringify(command)}\n`);
        else if (message.error !== undefined) reject(new Error(message.error.desc));
        else if (message.return !== undefined && ++answers === 2) resolve();
        else continue;
        if (answers === 2 || message.error !== undefined) connection.end();
      }
    });
  });
}
