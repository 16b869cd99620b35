import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { parseCommandLine } from '../../../launchers/command-line.ts';
import { COMMANDS, GLOBAL_OPTIONS } from '../../../launchers/commands.ts';
import { doctor } from '../../../launchers/doctor.ts';
import { readFindings } from '../../../launchers/doctor-findings.ts';
import type { Globals } from '../../../launchers/globals.ts';
import { type Finding, THEMES } from '../../../lib/doctor/finding.ts';
import { CHECKS } from '../../../lib/doctor/run-checks.ts';
import type { Host } from '../../../lib/host/host.ts';
import { RealHost } from '../../../lib/host/real-host.ts';
import { UsageError } from '../../../lib/words/errors.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { HEALTHY_XML, healthyMachine, type PickyHost } from '../../fake/healthy-machine.ts';
import { writeTree } from '../../fake/write-tree.ts';

async function run(host: Host, ...argv: readonly string[]): Promise<{ status: number; text: string }> {
  const options = COMMANDS.find(({ name }) => name === 'doctor')!.options;
  const line = parseCommandLine(argv, [...options, ...GLOBAL_OPTIONS]);
  const lines: string[] = [];
  const globals: Globals = {
    host,
    configDir: '/etc/passqemu',
    stateDir: '/run/passqemu',
    stateDirGiven: false,
    json: line.has('json'),
    quiet: false,
    verbose: false,
    colour: false,
    out: (text) => void lines.push(text),
    err: (text) => assert.fail(text),
  };
  return { status: await doctor(line, globals), text: lines.join('\n') };
}

const HOST_CHECKS = THEMES.filter((theme) => theme !== 'guest').flatMap((theme) => CHECKS[theme]).length;
const withVirsh = (host: PickyHost, xml: string | null): PickyHost => {
  host.onRun('virsh', () => (xml === null ? { status: 1 } : { stdout: xml }));
  return host;
};
const findings = (text: string) => (JSON.parse(text) as { findings: Finding[] }).findings;

test('doctor() prints the findings of cli.md and ends with 0 where nothing fails', async () => {
  const { status, text } = await run(withVirsh(healthyMachine(), HEALTHY_XML), 'win11', '--json');
  assert.equal(status, 0);
  for (const finding of findings(text)) {
    assert.deepEqual(Object.keys(finding), ['id', 'theme', 'title', 'status', 'summary', 'detail', 'remedy']);
    assert.equal(finding.status, 'ok', finding.id);
  }
});

test('doctor() ends with 1 where something fails, and leaves out the guest where none is named', async () => {
  const host = healthyMachine();
  host.drop('/sys/kernel/iommu_groups');
  const { status, text } = await run(host, '--json');
  assert.equal(status, 1);
  assert.deepEqual(
    findings(text).filter(({ theme }) => theme === 'guest'),
    [],
  );
  assert.match((await run(host)).text, /stands in the way:\n/);
});

test('doctor() of a guest without a profile looks at its XML, of one that libvirt does not know at its profile', async () => {
  const host = withVirsh(healthyMachine(), HEALTHY_XML);
  host.drop('/etc/passqemu/win11.ini');
  const known = findings((await run(host, 'win11', '--json')).text).find(({ id }) => id === 'guest.profile');
  assert.equal(known?.status, 'warn');
  const unknown = findings((await run(withVirsh(healthyMachine(), null), 'win11', '--json')).text);
  assert.equal(unknown.find(({ id }) => id === 'guest.machine')?.status, 'unknown');
  assert.equal(unknown.find(({ id }) => id === 'guest.plan')?.status, 'ok');
});

test('doctor() of nobody is a mistake', async () => {
  const host = withVirsh(healthyMachine(), null);
  await assert.rejects(
    run(host, 'nobody'),
    (error: unknown) => error instanceof UsageError && /it has no profile/.test(error.message),
  );
});

test('readFindings() changes nothing and runs nothing but what libvirt must be asked', async () => {
  const host = healthyMachine();
  const before = host.tree.dump();
  await readFindings(
    { host, stateDir: '/run/passqemu', configDir: '/etc/passqemu' },
    { name: 'win11', xml: HEALTHY_XML },
    true,
  );
  assert.deepEqual(host.tree.dump(), before);
  const reads = /^(?:read|readOptional|readBytes|list|linkName|realPath|exists|stat|claimable) /;
  assert.deepEqual(
    host.calls.filter((call) => !reads.test(call)),
    [],
  );
});

test('readFindings() says the same on the recorded machine, where guests’ files are not recorded', async (t) => {
  const host = healthyMachine();
  const folder = mkdtempSync(join(tmpdir(), 'passqemu-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeTree(host, folder);
  chmodSync(`${folder}/etc/libvirt/hooks/qemu.d/passqemu`, 0o755);
  const places = { stateDir: '/run/passqemu', configDir: '/etc/passqemu' };
  const live = await readFindings({ host, ...places }, null, true);
  const recorded = await readFindings({ host: new RealHost(folder, () => {}), ...places }, null, true);
  const odd = recorded.filter((finding, index) => JSON.stringify(finding) !== JSON.stringify(live[index]));
  assert.deepEqual(
    odd.map(({ id, status }) => `${id} ${status}`),
    RECORDED_DIFFERENCES,
  );
});

/** Nodes of devices and the times of files are not kept in a record. */
const RECORDED_DIFFERENCES = ['vfio.device-node unknown', 'kvm.device unknown', 'hook.seen unknown'];

test('readFindings() gives an answer to every check whatever call fails', async () => {
  const places = { stateDir: '/run/passqemu', configDir: '/etc/passqemu' };
  const whole = healthyMachine();
  await readFindings({ host: whole, ...places }, null, false);
  const { length } = whole.calls;
  for (let at = 1; at <= length; at += 13) {
    const host = healthyMachine();
    // What the kernel does not answer, the real host turns into null or an empty list where the call allows it
    const call = whole.calls[at - 1]!;
    if (!/^(?:read|readBytes) /.test(call)) continue;
    host.fault = { at, how: 'EIO' };
    const found = await readFindings({ host, ...places }, null, false);
    assert.equal(found.length, HOST_CHECKS, call);
  }
});

test('readFindings() of a machine that has nothing gives all answers and no crash', async () => {
  const found = await readFindings(
    { host: new FakeHost(), stateDir: '/run/passqemu', configDir: '/etc/passqemu' },
    null,
    true,
  );
  assert.equal(found.length, HOST_CHECKS);
  assert.ok(found.filter(({ status }) => status === 'unknown').length > 40);
});

test('readFindings() answers every check whatever stands in the files', async () => {
  const places = { stateDir: '/run/passqemu', configDir: '/etc/none' };
  const whole = healthyMachine();
  await readFindings({ host: whole, ...places }, null, true);
  const read = whole.calls.flatMap((call) => /^(?:read|readOptional|readBytes) (.*)$/.exec(call)?.[1] ?? []);
  const paths = [...new Set(read)].filter((path) => whole.peek(path) !== null);
  assert.ok(paths.length > 150, `${paths.length}`);
  const garbage = [
    '',
    '\x00\uffff\x1b[31m',
    '9'.repeat(400),
    '-1',
    '0x',
    '(null)',
    '[',
    'a b=c "d',
    '1-99999999',
    '{"a":[1,',
  ];
  for (const [round, text] of garbage.entries()) {
    for (let part = 0; part < 6; part++) {
      const host = healthyMachine();
      for (let at = (round + part) % 6; at < paths.length; at += 6) host.put(paths[at]!, text);
      const found = await readFindings({ host, ...places }, null, true);
      assert.equal(found.length, HOST_CHECKS, `${JSON.stringify(text)} in every sixth file from ${part}`);
      for (const { id, summary } of found)
        assert.doesNotMatch(summary, /[\x00\x1b]|undefined|NaN|\[object/, id);
    }
  }
});
