import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import tar from 'tar-stream';
import { RecordedTree, walkTree } from '../../../lib/host/recorded-tree.ts';
import { packSnapshot, SNAPSHOT_LIMITS, unpackSnapshot } from '../../../lib/host/snapshot-archive.ts';
import { HostError } from '../../../lib/words/errors.ts';

const FACTS = { mode: 0o644, uid: 0, gid: 0 };

function machine(): RecordedTree {
  const tree = new RecordedTree();
  tree.folder('/sys/bus/pci/devices', { mode: 0o755, uid: 0, gid: 0 });
  tree.put('/sys/devices/a/vendor', { kind: 'file', bytes: Buffer.from('0x8086\n'), ...FACTS });
  tree.put('/sys/devices/a/empty', { kind: 'file', bytes: Buffer.alloc(0), ...FACTS });
  tree.put('/sys/devices/a/seen', { kind: 'file', bytes: null, mode: 0o200, uid: 0, gid: 0 });
  tree.put(`/sys/devices/${'long'.repeat(60)}/x`, { kind: 'file', bytes: Buffer.from('1'), ...FACTS });
  tree.put('/sys/bus/pci/devices/0000:00:00.0', { kind: 'link', target: '../../../devices/a' });
  tree.put('/dev/nvme0n1', { kind: 'block', rdev: '259:300', claim: 'busy', ...FACTS });
  tree.put('/dev/dri/card0', { kind: 'character', rdev: '226:0', claim: null, ...FACTS });
  return tree;
}

test('packSnapshot() and unpackSnapshot() keep every node as it was, and the same machine gives the same bytes', async () => {
  const packed = await packSnapshot(machine());
  const tree = await unpackSnapshot('x.tar.gz', packed);
  assert.deepEqual([...walkTree(tree.top)], [...walkTree(machine().top)]);
  assert.deepEqual(await packSnapshot(machine()), packed);
});

interface Planted {
  readonly name: string;
  readonly type?: string;
  readonly linkname?: string;
  readonly content?: string;
}

async function archive(...planted: readonly Planted[]): Promise<Buffer> {
  const pack = tar.pack();
  const parts: Buffer[] = [];
  pack.on('data', (part) => parts.push(part as Buffer));
  for (const { content, ...header } of planted)
    pack.entry(header as Parameters<typeof pack.entry>[0], content ?? '');
  pack.finalize();
  await new Promise<void>((resolve) => pack.on('end', () => resolve()));
  return gzipSync(Buffer.concat(parts));
}

const HOSTILE: readonly [string, readonly Planted[], string][] = [
  ['a path outside', [{ name: '../../etc/passwd' }], 'it holds a path outside of it, "../../etc/passwd"'],
  ['a path outside in the middle', [{ name: 'sys/../../x' }], 'it holds a path outside of it, "sys/../../x"'],
  ['an absolute path', [{ name: '/etc/passwd' }], 'it holds a path outside of it, "/etc/passwd"'],
  [
    'a link out',
    [{ name: 'sys/a', type: 'symlink', linkname: '../../etc/shadow' }],
    'the link "/sys/a" leads out of it, to "../../etc/shadow"',
  ],
  [
    'a link out by way of inside',
    [{ name: 'sys/a', type: 'symlink', linkname: 'b/../../../x' }],
    'the link "/sys/a" leads out of it, to "b/../../../x"',
  ],
  [
    'a hard link',
    [{ name: 'sys/a', type: 'link', linkname: 'sys/b' }],
    '"/sys/a" is a hard link, which no recorded machine holds',
  ],
  ['a pipe', [{ name: 'sys/a', type: 'fifo' }], '"/sys/a" is a fifo, which no recorded machine holds'],
  [
    'a file in a link',
    [
      { name: 'sys/a', type: 'symlink', linkname: 'b' },
      { name: 'sys/a/x', content: '1' },
    ],
    '"/sys/a/x" lies in something that is no folder',
  ],
  ['nothing', [], 'it is empty'],
];
for (const [what, planted, why] of HOSTILE) {
  test(`unpackSnapshot() refuses ${what}`, async () => {
    await assert.rejects(unpackSnapshot('x.tar.gz', await archive(...planted)), {
      name: 'HostError',
      message: `Cannot read the recorded machine x.tar.gz: ${why}`,
    });
  });
}

test('unpackSnapshot() says what is wrong with a file that is none, and with one that is cut anywhere', async () => {
  const packed = await packSnapshot(machine());
  for (const bytes of [Buffer.alloc(0), Buffer.from('hello'), Buffer.from('PK\x03\x04zip')]) {
    await assert.rejects(
      unpackSnapshot('x', bytes),
      /^HostError: Cannot read the recorded machine x: it is no tar\.gz$/,
    );
  }
  for (let size = 2; size < packed.length; size += 7) {
    await assert.rejects(
      unpackSnapshot('x', packed.subarray(0, size)),
      /it is damaged or cut/,
      `${size} bytes`,
    );
  }
  const damaged = Buffer.from(packed);
  damaged[packed.length >> 1]! ^= 0x55;
  await assert.rejects(unpackSnapshot('x', damaged), HostError);
  await assert.rejects(
    unpackSnapshot('x', gzipSync(Buffer.from('no tar '.repeat(500)))),
    /it is damaged or cut/,
  );
});

test('unpackSnapshot() ends at a bomb and at too many files', async () => {
  const bomb = gzipSync(Buffer.alloc(SNAPSHOT_LIMITS.contentBytes + 1), { level: 1 });
  await assert.rejects(unpackSnapshot('x', bomb), /it holds more than 256 MiB/);
  const many = await archive(...Array.from({ length: 101 }, (_, at) => ({ name: `sys/${at}` })));
  await assert.rejects(
    unpackSnapshot('x', many, { ...SNAPSHOT_LIMITS, entries: 100 }),
    /more than 100 files/,
  );
});
