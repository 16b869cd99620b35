import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storyPath, withStory } from '../../../lib/apply/story.ts';
import type { Step } from '../../../lib/words/step.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { SILENT } from '../../fake/whole-machine.ts';

const STEPS = [{ kind: 'unit' }] as unknown as readonly Step[];
const ABOUT = { stateDir: '/run/passqemu', guest: 'win', operation: 'prepare' } as const;
const PATH = '/var/lib/passqemu/win.handover';

test('withStory() writes each line at once, prepare anew and release behind it', () => {
  const host = new FakeHost();
  withStory(host, ABOUT, STEPS, SILENT).note('old');
  const report = withStory(host, ABOUT, STEPS, SILENT);
  report.step('done', 'stop gdm.service', 12);
  assert.equal(
    host.peek(PATH),
    '1970-01-01T00:16:40.000Z prepare: win begins, 1 steps\n1970-01-01T00:16:40.000Z prepare: done: stop gdm.service (12 ms)\n',
  );
  withStory(host, { ...ABOUT, operation: 'release' }, STEPS, SILENT).note('two\nlines');
  assert.equal(host.peek(PATH)?.split('\n').at(-2), '1970-01-01T00:16:40.000Z release: two lines');
});

test('withStory() is silent where no display goes away, and where it cannot be written', () => {
  const host = new FakeHost();
  assert.equal(withStory(host, ABOUT, [{ kind: 'driver' }] as unknown as readonly Step[], SILENT), SILENT);
  assert.equal(host.peek(PATH), null);
  host.fault = { at: host.calls.length + 2, how: 'ENOSPC' };
  withStory(host, ABOUT, STEPS, SILENT).note('x');
  assert.equal(host.peek(PATH), null);
});

test('storyPath() keeps the story of another state folder there', () => {
  assert.equal(storyPath('/tmp/s', 'win'), '/tmp/s/win.handover');
});
