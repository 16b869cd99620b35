import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describePinning, formatPinning } from '../../../launchers/pin-text.ts';
import { planPin } from '../../../lib/plan/pin.ts';
import { makeTopology, SHAPES } from '../../fake/topologies.ts';

const pinning = planPin({
  topology: makeTopology(SHAPES.eight),
  taken: new Map(),
  wish: { vcpus: 4, smt: 'keep', largeCache: false, device: null },
});

test('describePinning() gives the profile, the domain XML and the kernel parameters of one proposal', () => {
  const { reasons, ...rest } = describePinning(pinning, 'AuthenticAMD');
  assert.equal(reasons.length, 4);
  assert.deepEqual(rest, {
    vcpus: [6, 14, 7, 15].map((cpu, vcpu) => ({ vcpu, cpu })),
    guest: '6-7,14-15',
    emulator: '1,9',
    iothread: '2,10',
    host: '0-5,8-13',
    place: { level: 'l3', id: 0 },
    nodes: [0],
    topology: { sockets: 1, cores: 2, threads: 2 },
    profile: '[cpu]\nguest = 6-7,14-15',
    libvirt: `<vcpu placement='static'>4</vcpu>
<iothreads>1</iothreads>
<cputune>
  <vcpupin vcpu='0' cpuset='6'/>
  <vcpupin vcpu='1' cpuset='14'/>
  <vcpupin vcpu='2' cpuset='7'/>
  <vcpupin vcpu='3' cpuset='15'/>
  <emulatorpin cpuset='1,9'/>
  <iothreadpin iothread='1' cpuset='2,10'/>
</cputune>
<numatune>
  <memory mode='strict' nodeset='0'/>
</numatune>
<cpu mode='host-passthrough' check='none' migratable='off'>
  <topology sockets='1' dies='1' cores='2' threads='2'/>
  <feature policy='require' name='topoext'/>
</cpu>`,
    kernelParameters:
      'isolcpus=domain,managed_irq,6-7,14-15 nohz_full=6-7,14-15 rcu_nocbs=6-7,14-15 irqaffinity=0-5,8-13',
  });
});

test('describePinning() asks for topoext on AMD only', () => {
  for (const vendor of ['GenuineIntel', null]) {
    assert.doesNotMatch(describePinning(pinning, vendor).libvirt, /topoext/);
  }
});

test('formatPinning() begins with the reasons', () => {
  const text = formatPinning(describePinning(pinning, null));
  assert.match(text, /^4 vCPUs on 2 cores, CPUs 6-7,14-15: they share one L3 cache of 32 MiB\.\n/);
  assert.match(text, /\n {2}\[cpu\]\n {2}guest = 6-7,14-15\n/);
});
