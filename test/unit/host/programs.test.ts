import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCommandPicture } from '../../../lib/host/command-files.ts';
import type { PathFacts } from '../../../lib/host/host.ts';
import { readProgramFault } from '../../../lib/host/programs.ts';
import { FakeHost } from '../../fake/fake-host.ts';

/** A machine with /opt/tool/run; `facts` changes what the kernel says of some paths. */
function machine(facts: Readonly<Record<string, Partial<PathFacts>>> = {}): FakeHost {
  const host = new FakeHost().put('/opt/tool/run', '#!/bin/sh\n', 0o755);
  const stat = host.stat.bind(host);
  host.stat = (path, follow) => {
    const plain = stat(path, follow);
    return plain === null ? null : { ...plain, ...facts[path] };
  };
  return host;
}

const cases: [name: string, facts: Readonly<Record<string, Partial<PathFacts>>>, fault: string | null][] = [
  ['a program of root in folders of root', {}, null],
  ['a file that is not executable', { '/opt/tool/run': { mode: 0o644 } }, 'it is not executable'],
  ['a folder', { '/opt/tool/run': { kind: 'folder' } }, 'it is no file'],
  [
    'a program of another user',
    { '/opt/tool/run': { uid: 1000 } },
    'it belongs to user 1000, who could change it',
  ],
  [
    'a program that everybody may write',
    { '/opt/tool/run': { mode: 0o757 } },
    'others than its owner may write it',
  ],
  [
    'a program that a group may write',
    { '/opt/tool/run': { mode: 0o775, gid: 50 } },
    'others than its owner may write it',
  ],
  ['a program that the group of root may write', { '/opt/tool/run': { mode: 0o775 } }, null],
  [
    'a folder of another user',
    { '/opt/tool': { uid: 1000 } },
    'its folder /opt/tool belongs to user 1000, who could replace it',
  ],
  ['a folder that everybody may write', { '/opt': { mode: 0o777 } }, 'anybody may write its folder /opt'],
  ['a sticky folder that everybody may write', { '/opt': { mode: 0o1777 } }, null],
  ['a top folder that everybody may write', { '/': { mode: 0o777 } }, 'anybody may write its folder /'],
];
for (const [name, facts, fault] of cases) {
  test(`readProgramFault() finds ${fault === null ? 'nothing wrong with' : 'fault with'} ${name}`, () => {
    assert.equal(readProgramFault(machine(facts), '/opt/tool/run'), fault);
  });
}

test('readProgramFault() lets an ordinary user run programs of their own', () => {
  const host = machine({ '/opt/tool/run': { uid: 1000 }, '/opt/tool': { uid: 1000 } });
  const own = `/proc/${host.self().pid}`;
  const stat = host.stat;
  host.stat = (path, follow) => {
    const facts = stat(path, follow);
    return path === own && facts !== null ? { ...facts, uid: 1000 } : facts;
  };
  assert.equal(readProgramFault(host, '/opt/tool/run'), null);
});

test('readProgramFault() looks where a link leads', () => {
  const host = machine({ '/opt/tool': { mode: 0o777 } });
  host.putLink('/usr/bin/run', '/opt/tool/run');
  assert.equal(readProgramFault(host, '/usr/bin/run'), 'anybody may write its folder /opt/tool');
});

test('readProgramFault() tells what is not there, and what is no path', () => {
  const host = machine();
  assert.deepEqual(
    [readProgramFault(host, '/opt/none'), readProgramFault(host, 'run')],
    ['it is not there', 'it is no absolute path'],
  );
});

test('readCommandPicture() looks at the program of every stage once', () => {
  const host = machine();
  const command = (program: string) => ({ argv: [program], timeoutMs: 1 });
  const none = {
    prepareFirst: null,
    prepareLast: null,
    started: null,
    stopped: null,
    releaseFirst: null,
    releaseLast: null,
  };
  const picture = readCommandPicture(host, {
    ...none,
    prepareFirst: command('/opt/tool/run'),
    stopped: command('/x'),
    releaseLast: command('/x'),
  });
  assert.deepEqual(
    [...picture],
    [
      ['/opt/tool/run', null],
      ['/x', 'it is not there'],
    ],
  );
});
