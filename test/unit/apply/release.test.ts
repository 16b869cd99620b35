import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostSteps, planOf, prepare, release, wholeMachine } from '../../fake/whole-machine.ts';

const PLAN = planOf('win', hostSteps('win'));

test('releaseGuest() knows a guest by its name, and does not ask for the XML then', async () => {
  const host = wholeMachine();
  await prepare(host, PLAN);
  const unread = async () => assert.fail('the XML was read');
  assert.equal(await release(host.restart(), 'win', unread), 'released');
  assert.equal(await release(host.restart(), 'win', unread), 'nothing held');
});

test('releaseGuest() finds the journal of a guest that was renamed by its UUID', async () => {
  const host = wholeMachine();
  await prepare(host, PLAN);
  assert.equal(await release(host.restart(), 'other', async () => 'uuid-of-nobody'), 'nothing held');
  assert.equal(await release(host.restart(), 'renamed', async () => 'uuid-win'), 'released');
});
