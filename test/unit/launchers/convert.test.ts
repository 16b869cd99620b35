import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseCommandLine } from '../../../launchers/command-line.ts';
import { COMMANDS, GLOBAL_OPTIONS } from '../../../launchers/commands.ts';
import type { Globals } from '../../../launchers/globals.ts';
import { DomainError, UsageError } from '../../../lib/words/errors.ts';
import type { FakeHost } from '../../fake/fake-host.ts';
import { labMachine } from '../../fake/lab-machine.ts';
import { WHOLE } from '../convert/samples.ts';

/** Runs `passqemu import` or `export` on a machine, with what it printed and complained. */
async function run(host: FakeHost, ...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const [name = '', ...words] = argv;
  const command = COMMANDS.find((one) => one.name === name)!;
  const line = parseCommandLine(words, [...command.options, ...GLOBAL_OPTIONS]);
  const lines = { out: [] as string[], err: [] as string[] };
  const globals: Globals = {
    host,
    configDir: '/etc/passqemu',
    stateDir: '/run/passqemu',
    stateDirGiven: false,
    json: line.has('json'),
    quiet: false,
    verbose: false,
    colour: false,
    out: (text) => void lines.out.push(text),
    err: (text) => void lines.err.push(text),
  };
  const code = await command.run(line, globals, { commands: COMMANDS, options: GLOBAL_OPTIONS });
  return { code, out: lines.out.join('\n'), err: lines.err.join('\n') };
}

async function withFile<T>(name: string, text: string, use: (path: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'passqemu-'));
  try {
    writeFileSync(join(folder, name), text);
    return await use(join(folder, name));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const DOMAIN = `<domain type='kvm'><name>g</name><memory unit='GiB'>1</memory><devices>
<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0' bus='1' slot='0' function='0'/></source></hostdev>
<watchdog model='i6300esb'/></devices></domain>`;

test('import prints the JSON of the contract, with the identity of devices and all that is dropped', async () => {
  const { code, out } = await withFile('g.xml', DOMAIN, (path) =>
    run(labMachine(), 'import', path, '--json'),
  );
  const { profile, dropped, ...more } = JSON.parse(out) as { profile: string; dropped: unknown };
  assert.deepEqual([code, more], [0, {}]);
  assert.match(profile, /^\[devices\]\n# now on e1000e\nnetwork = 0000:01:00\.0 8086:10d3/m);
  assert.deepEqual(dropped, [
    { what: '/domain/devices/watchdog (model=i6300esb)', why: 'the profile has no key for it' },
  ]);
});

test('import prints the profile, and complains of what is dropped', async () => {
  const { out, err } = await withFile('100.conf', 'memory: 1024\nonboot: 1\n', (path) =>
    run(labMachine(), 'import', path),
  );
  assert.match(out, /^# passqemu profile of 100\n.*\nmemory = 1G\n/s);
  assert.equal(err, 'Not carried over:\n  onboot: 1: it is for Proxmox’ own management');
});

test('import refuses what is neither, in one sentence', async () => {
  await assert.rejects(run(labMachine(), 'import', '/nowhere/x.xml'), UsageError);
  for (const text of ['', '<domain', '<!DOCTYPE x><domain/>', 'hello', '\0\0'])
    await assert.rejects(
      withFile('x', text, (path) => run(labMachine(), 'import', path)),
      DomainError,
    );
});

test('export writes domains and commands, and refuses other forms', async () => {
  const host = labMachine();
  host.put('/etc/passqemu/win11.ini', WHOLE);
  host.put('/etc/passqemu/minimal.ini', '[devices]\nnic = 0000:01:00.0\n');
  const domain = await run(host, 'export', 'win11', '--to', 'libvirt');
  assert.match(domain.out, /^<domain type='kvm'.*<name>win11<\/name>.*<\/domain>$/s);
  assert.equal(domain.err, '');
  const commands = await run(host, 'export', 'win11', '--to', 'proxmox');
  const [first, second] = commands.out.split('\n');
  assert.deepEqual(
    [first, second],
    [`VMID=\${VMID:?the number of the machine in Proxmox}`, 'qm set "$VMID" --name win11'],
  );
  const { commands: argv } = JSON.parse(
    (await run(host, 'export', 'win11', '--to', 'proxmox', '--vmid', '100', '--json')).out,
  ) as {
    commands: string[][];
  };
  assert.deepEqual(argv[0], ['qm', 'set', '100', '--name', 'win11']);
  for (const words of [
    [],
    ['--to', 'vmware'],
    ['--to', 'toString'],
    ['--to', 'proxmox', '--vmid', '1;reboot'],
  ])
    await assert.rejects(run(host, 'export', 'win11', ...words), UsageError);
  await assert.rejects(run(host, 'export', 'minimal', '--to', 'libvirt'), /does not say what the guest is/);
  await assert.rejects(run(host, 'export', 'nobody', '--to', 'libvirt'), /there is no profile/);
});
