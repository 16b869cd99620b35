import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whileNoneNeedsHook } from '../../../lib/apply/hook-needed.ts';
import { createJournal } from '../../../lib/apply/journal.ts';
import { JOURNAL_FORM, type JournalHeader, type Owner } from '../../../lib/apply/journal-text.ts';
import { RefusedError } from '../../../lib/words/errors.ts';
import { FakeHost } from '../../fake/fake-host.ts';

const STATE = '/run/passqemu';

function held(owner: Owner, bootId = 'now'): FakeHost {
  const host = new FakeHost().put('/proc/sys/kernel/random/boot_id', 'now\n').putFolder(STATE);
  const header: JournalHeader = {
    passqemu: JOURNAL_FORM,
    version: '1',
    guest: 'win',
    uuid: null,
    bootId,
    at: 0,
    inputs: '',
  };
  createJournal(host, `${STATE}/win.jsonl`, header, owner);
  return host;
}

async function uninstalled(host: FakeHost, force = false): Promise<{ done: boolean; needing: string[] }> {
  let done = false;
  const needing = await whileNoneNeedsHook(host, STATE, 1000, force, () => {
    done = true;
  });
  return { done, needing };
}

test('whileNoneNeedsHook() refuses while a guest of libvirt holds something, and names it', async () => {
  const host = held({ kind: 'libvirt' });
  await assert.rejects(uninstalled(host), (error) => {
    assert.ok(error instanceof RefusedError);
    assert.match(error.message, /^Cannot uninstall the hook: win holds /);
    return true;
  });
  // Its lock is free again
  await host.restart().lock(`${STATE}/lock`, 'next', 0, () => {});
});

test('whileNoneNeedsHook() counts a journal that cannot be read', async () => {
  const host = new FakeHost().putFolder(STATE).put(`${STATE}/win.jsonl`, '{"passqemu":99}\n', 0o600);
  await assert.rejects(uninstalled(host), /win\.jsonl holds/);
});

test('whileNoneNeedsHook() acts by force, and tells who is left', async () => {
  assert.deepEqual(await uninstalled(held({ kind: 'libvirt' }), true), { done: true, needing: ['win'] });
});

for (const [what, host] of [
  ['what a person prepared', held({ kind: 'person' })],
  ['what an earlier boot left', held({ kind: 'libvirt' }, 'before')],
  ['a machine without a state folder', new FakeHost()],
] as const)
  test(`whileNoneNeedsHook() acts in spite of ${what}`, async () => {
    assert.deepEqual(await uninstalled(host), { done: true, needing: [] });
    assert.equal(host.exists(`${STATE}/lock`), host.exists(STATE));
  });
