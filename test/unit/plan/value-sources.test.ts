import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDomain } from '../../../lib/inputs/domain-xml.ts';
import { parseSourcedProfile } from '../../../lib/inputs/read-profile.ts';
import { noteDomain } from '../../../lib/plan/domain-notes.ts';
import { listValues } from '../../../lib/plan/value-sources.ts';

const hostdev = (bus: number, managed = 'yes') =>
  `<hostdev mode='subsystem' type='pci' managed='${managed}'><source><address domain='0' bus='${bus}' slot='0' function='0'/></source></hostdev>`;
const XML = `<domain type='kvm'><name>win</name><memory unit='GiB'>8</memory><vcpu>2</vcpu>
  <metadata><p:profile xmlns:p='urn:passqemu:1'><p:key section='cpu' name='governor'>performance</p:key>
    <p:key section='memory' name='wait'>5s</p:key></p:profile></metadata>
  <memoryBacking><hugepages><page size='2' unit='MiB'/></hugepages></memoryBacking>
  <numatune><memory mode='strict' nodeset='1'/></numatune>
  <cputune><vcpupin vcpu='0' cpuset='2'/><vcpupin vcpu='1' cpuset='3'/>@</cputune>
  <devices>${hostdev(1)}${hostdev(2, 'no')}</devices></domain>`;
const ONLINE = [0, 1, 2, 3];

function values(profile: string, xml = XML): string[] {
  const domain = parseDomain(xml.replace('@', ''));
  const sourced = parseSourcedProfile(profile, { guest: 'win', path: '/win.ini', metadata: domain.metadata });
  return listValues({ ...sourced, domain, online: ONLINE })
    .filter(({ from }) => from !== 'default')
    .map(({ key, value, from }) => `${key} = ${value} (${from})`);
}

test('listValues() tells profile, metadata and XML apart, and the profile wins', () => {
  assert.deepEqual(
    values('[devices]\nnic = 0000:01:00.0\n[cpu]\ngovernor = schedutil\n[memory]\nhugepages = 1G\n'),
    [
      'cpu.governor = schedutil (profile)',
      'cpu.guest = 2-3 (xml)',
      "devices 0000:02:00.0 = <hostdev> managed='no' (xml)",
      'devices.nic = 0000:01:00.0 (profile)',
      'memory.hugepages = 1G (profile)',
      'memory.nodes = node 1 (xml)',
      'memory.size = 8 GiB (xml)',
      'memory.wait = 5s (metadata)',
    ],
  );
});

test('listValues() of a minimal profile has everything from the domain, and says which values are defaults', () => {
  assert.deepEqual(values(''), [
    'cpu.governor = performance (metadata)',
    'cpu.guest = 2-3 (xml)',
    "devices 0000:01:00.0 = <hostdev> managed='yes' (xml)",
    "devices 0000:02:00.0 = <hostdev> managed='no' (xml)",
    'memory.hugepages = 2 MiB (xml)',
    'memory.nodes = node 1 (xml)',
    'memory.size = 8 GiB (xml)',
    'memory.wait = 5s (metadata)',
  ]);
  const sourced = parseSourcedProfile('', { guest: 'win', path: '/win.ini' });
  const defaults = listValues({ ...sourced, domain: null, online: ONLINE });
  assert.deepEqual(new Set(defaults.map(({ from }) => from)), new Set(['default']));
  assert.ok(defaults.some(({ key, value }) => key === 'cpu.isolate' && value === 'yes'));
});

test('noteDomain() warns of a memory limit that leaves QEMU no room, only where devices lock memory', () => {
  const limited = (kib: number) =>
    parseDomain(
      XML.replace('@', '').replace(
        '<metadata>',
        `<memtune><hard_limit>${kib}</hard_limit></memtune><metadata>`,
      ),
    );
  assert.match(noteDomain(limited(8 << 20), true, true)[0]!, /hard_limit> is 8 GiB.*1 GiB beside/);
  assert.deepEqual(noteDomain(limited(8 << 20), false, true), []);
  assert.deepEqual(noteDomain(limited(9 << 20), true, true), []);
});

test('noteDomain() warns of real-time vCPUs on CPUs that the host uses too', () => {
  const real = parseDomain(XML.replace('@', "<vcpusched vcpus='0-1' scheduler='fifo' priority='1'/>"));
  assert.match(noteDomain(real, true, false)[0]!, /real-time \(fifo\)/);
  assert.deepEqual(noteDomain(real, true, true), []);
  const batch = parseDomain(XML.replace('@', "<vcpusched vcpus='0' scheduler='batch'/>"));
  assert.deepEqual(noteDomain(batch, true, false), []);
});
