import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moduleKind } from '../../../lib/steps/module.ts';
import type { StepContext } from '../../../lib/steps/step-kind.ts';
import type { StepOf } from '../../../lib/words/step.ts';
import { FakeHost } from '../../fake/fake-host.ts';

const step: StepOf<'module'> = { kind: 'module', target: 'vfio-pci', from: null, to: null, name: 'vfio-pci' };

function context(host: FakeHost): StepContext {
  return { host, guest: 'a', others: [], note: () => {} };
}

async function apply(host: FakeHost): Promise<void> {
  await moduleKind.apply(step, moduleKind.observe(step, context(host)), context(host));
}

test('moduleKind.apply() loads a module that is not there, and undo() leaves it', async () => {
  const host = new FakeHost().onRun('modprobe', (_argv, machine) => {
    machine.put('/sys/module/vfio_pci/initstate', 'live\n');
    return {};
  });
  await apply(host);
  assert(host.calls.includes('run modprobe -- vfio-pci'));
  const calls = host.calls.length;
  await moduleKind.undo(step, { loaded: false }, null, context(host));
  assert.equal(host.calls.length, calls);
  assert.equal(moduleKind.drift!(step, { loaded: false }, null, context(host)), null);
});

test('moduleKind.apply() starts no program where the module is loaded or built in', async () => {
  const loaded = new FakeHost().put('/sys/module/vfio_pci/initstate', 'live\n');
  const builtIn = new FakeHost()
    .put('/proc/sys/kernel/osrelease', '6.12.1\n')
    .put('/lib/modules/6.12.1/modules.builtin', 'kernel/drivers/vfio/pci/vfio-pci.ko\n');
  for (const host of [loaded, builtIn]) {
    await apply(host);
    assert.equal(
      host.calls.some((call) => call.startsWith('run')),
      false,
    );
  }
});

const failures: [
  name: string,
  answer: { status?: number | null; stderr?: string; timedOut?: boolean },
  message: string,
][] = [
  [
    'says what modprobe says',
    { status: 1, stderr: 'x\nmodprobe: FATAL: Module vfio-pci not found\n' },
    'modprobe: FATAL: Module vfio-pci not found',
  ],
  [
    'throws where modprobe succeeds but nothing is loaded',
    {},
    'modprobe says that it has, but the kernel does not show it',
  ],
  [
    'throws where modprobe does not end',
    { status: null, timedOut: true },
    'modprobe has not ended within 30 s',
  ],
];
for (const [name, answer, message] of failures) {
  test(`moduleKind.apply() ${name}`, async () => {
    const host = new FakeHost().onRun('modprobe', () => answer);
    await assert.rejects(apply(host), { message: `Cannot load the module vfio-pci: ${message}` });
  });
}

test('moduleKind.drift() tells a module that somebody has unloaded', () => {
  assert.equal(
    moduleKind.drift!(step, { loaded: false }, null, context(new FakeHost())),
    'the module vfio-pci is not loaded any more',
  );
});
