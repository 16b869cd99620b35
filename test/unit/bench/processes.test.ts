import assert from 'node:assert/strict';
import test from 'node:test';
import { parseStrace } from '../../bench/processes.ts';

test('parseStrace() counts forks without threads, and lists programs that were really started', () => {
  const text = `10 execve("/lib/qemu", ["/lib/qemu", "a", "prepare"], 0x1 /* 3 vars */) = 0
10 execve("/usr/bin/node", ["/usr/bin/node", "/lib/qemu", "a"], 0x1 /* 3 vars */) = 0
10 clone3({flags=CLONE_VM|CLONE_THREAD, stack=0x1}, 88) = 11
10 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD) = 12
12 execve("/usr/sbin/flock", ["flock", "3"], 0x1 /* 1 var */) = -1 ENOENT (No such file or directory)
12 execve("/usr/bin/flock", ["flock", "--nonblock", "3"], 0x1 /* 1 var */) = 0
`;
  assert.deepEqual(parseStrace(text), {
    forks: 1,
    programs: ['qemu a prepare', 'node /lib/qemu a', 'flock --nonblock 3'],
  });
});

test('parseStrace() puts a call together that another process came into', () => {
  const text = `10 vfork( <unfinished ...>
11 execve("/bin/sh", ["/bin/sh", "-c", "exec 2>&4\\nif [ -e x ]; then :; fi"], 0x1 /* 1 var */ <unfinished ...>
10 <... vfork resumed>) = 11
11 <... execve resumed>) = 0
`;
  assert.deepEqual(parseStrace(text), { forks: 1, programs: ['sh -c …'] });
});

test('parseStrace() takes a fork that failed for none', () => {
  assert.deepEqual(parseStrace('10 fork() = -1 EAGAIN (Resource temporarily unavailable)\n'), {
    forks: 0,
    programs: [],
  });
});
