import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordedHost } from '../../../lib/host/recorded-host.ts';
import { RecordedTree } from '../../../lib/host/recorded-tree.ts';
import { HostError } from '../../../lib/words/errors.ts';
import { FakeHost } from '../../fake/fake-host.ts';

const FACTS = { mode: 0o644, uid: 0, gid: 0 };
const file = (text: string | null) =>
  ({ kind: 'file', bytes: text === null ? null : Buffer.from(text), ...FACTS }) as const;

function tree(): RecordedTree {
  const made = new RecordedTree();
  made.put('/sys/devices/a/value', file('1\n\0'));
  made.put('/sys/devices/a/seen', file(null));
  made.put('/sys/class/net/eth0', { kind: 'link', target: '../../devices/a' });
  made.put('/etc/link', { kind: 'link', target: '/sys/class/net' });
  made.put('/loop/a', { kind: 'link', target: 'b' });
  made.put('/loop/b', { kind: 'link', target: 'a' });
  made.put('/out', { kind: 'link', target: '../../../etc' });
  return made;
}

test('find() follows links as the kernel does, and never above the top', () => {
  const made = tree();
  const at = (path: string, keep = false) => made.find(path, keep)?.path ?? null;
  assert.equal(at('/sys/class/net/eth0/value'), '/sys/devices/a/value');
  assert.equal(at('/etc/link/eth0'), '/sys/devices/a');
  assert.equal(at('/etc/link/eth0', true), '/sys/class/net/eth0');
  assert.equal(at('/sys/class/net/eth0/../value'), null);
  assert.equal(at('/sys/class/net/eth0/../a/value'), '/sys/devices/a/value');
  assert.equal(at('/loop/a'), null);
  assert.equal(at('/out/link'), '/sys/class/net');
  assert.equal(at('/sys/devices/a/value/x'), null);
  assert.equal(at('/'), '/');
});

test('RecordedHost reads as the machine was, and fails for what was only seen', () => {
  const host = new RecordedHost('x.tar.gz', tree(), new FakeHost());
  assert.equal(host.read('/sys/class/net/eth0/value'), '1');
  assert.equal(host.readOptional('/sys/class/net/eth0/seen'), null);
  assert.throws(() => host.read('/sys/class/net/eth0/seen'), { code: 'EACCES' });
  assert.throws(() => host.read('/nowhere'), { code: 'ENOENT' });
  assert.throws(() => host.readBytes('/sys'), { code: 'EISDIR' });
  assert.deepEqual(host.list('/sys/class/net/eth0'), ['seen', 'value']);
  assert.equal(host.linkName('/sys/class/net/eth0'), 'a');
  assert.equal(host.linkName('/sys'), null);
  assert.equal(host.exists('/loop/a'), false);
});

test('RecordedHost lets nobody change the machine, and reads the caller’s folders here', () => {
  const here = new FakeHost();
  here.put('/home/me/profiles/win11.ini', 'x\n');
  const host = new RecordedHost('x.tar.gz', tree(), here, ['/home/me/profiles']);
  assert.deepEqual(host.list('/home/me/profiles'), ['win11.ini']);
  assert.equal(host.read('/home/me/profiles/win11.ini'), 'x');
  assert.throws(() => host.write('/sys/devices/a/value'), HostError);
  assert.throws(() => host.createFile('/run/x'), { code: 'EROFS' });
});
