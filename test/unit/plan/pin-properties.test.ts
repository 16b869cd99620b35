import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hostCores, planPin } from '../../../lib/plan/pin.ts';
import { coresOf } from '../../../lib/plan/pin-cores.ts';
import type { PinInput } from '../../../lib/plan/pinning.ts';
import { intersectionOf, sameCpus, unionOf } from '../../../lib/words/cpu-list.ts';
import { RefusedError } from '../../../lib/words/errors.ts';
import type { PciAddress } from '../../../lib/words/pci-address.ts';
import { makeTopology } from '../../fake/topologies.ts';

/** Machines of every shape: threads next to each other or far apart, some offline, some kinds mixed, some silent. */
const input: fc.Arbitrary<PinInput> = fc
  .record({
    cores: fc.array(
      fc.record({
        threads: fc.integer({ min: 1, max: 4 }),
        node: fc.option(fc.integer({ min: 0, max: 3 })),
        l3: fc.option(fc.integer({ min: 0, max: 5 })),
        kind: fc.constantFrom(null, 'performance' as const, 'efficiency' as const),
        lost: fc.boolean(),
      }),
      { minLength: 1, maxLength: 40 },
    ),
    shuffle: fc.array(fc.nat(), { minLength: 160, maxLength: 160 }),
    silent: fc.boolean(),
    isolated: fc.array(fc.nat(80)),
    sizes: fc.array(fc.constantFrom(8192, 32_768, 98_304), { minLength: 6, maxLength: 6 }),
    taken: fc.array(fc.nat(80), { maxLength: 8 }),
    vcpus: fc.option(fc.integer({ min: 1, max: 30 })),
    smt: fc.constantFrom('keep' as const, 'spread' as const),
    largeCache: fc.constantFrom(false, false, false, true),
    deviceNode: fc.option(fc.integer({ min: 0, max: 4 })),
  })
  .map(({ cores, shuffle, silent, isolated, sizes, taken, vcpus, smt, largeCache, deviceNode }) => {
    const total = cores.reduce((sum, { threads }) => sum + threads, 0);
    const numbers = Array.from({ length: total }, (_, id) => id).sort((a, b) => shuffle[a]! - shuffle[b]!);
    const shape = cores.map(({ threads, lost, ...core }) => {
      const cpus = numbers.splice(0, threads);
      return { ...core, cpus, offline: lost ? cpus.slice(1) : [] };
    });
    const topology = makeTopology({ cores: shape, silent, isolated, l3Sizes: { ...sizes } });
    return {
      topology,
      taken: new Map(taken.length === 0 ? [] : [['other', unionOf(taken)]]),
      wish: {
        vcpus,
        smt,
        largeCache,
        device: deviceNode === null ? null : { address: '0000:01:00.0' as PciAddress, node: deviceNode },
      },
    };
  });

test('planPin() never takes the host’s last core, never splits a core, never takes what is not there or not free', () => {
  let proposed = 0;
  fc.assert(
    fc.property(input, (given) => {
      const { cores } = coresOf(given.topology);
      let pinning: ReturnType<typeof planPin>;
      try {
        pinning = planPin(given);
      } catch (error) {
        assert.ok(error instanceof RefusedError, String(error));
        return;
      }
      proposed++;
      const { vcpus, guest, host, emulator, iothread, threads } = pinning;
      const taken = unionOf(...given.taken.values());
      assert.equal(new Set(vcpus).size, vcpus.length, 'one vCPU a CPU');
      assert.deepEqual(
        intersectionOf(
          [...vcpus].sort((a, b) => a - b),
          guest,
        ).length,
        vcpus.length,
      );
      assert.ok(given.wish.vcpus === null || vcpus.length === given.wish.vcpus);
      for (const { cpus } of cores) {
        const inside = intersectionOf(cpus, guest).length;
        assert.ok(inside === 0 || inside === cpus.length, `core ${cpus} is split`);
        if (given.wish.smt === 'spread') assert.ok(intersectionOf(cpus, vcpus).length <= 1);
      }
      assert.deepEqual(intersectionOf(guest, taken), []);
      assert.ok(guest.every((id) => given.topology.cpus.find((cpu) => cpu.id === id)?.online));
      const left = cores.filter(({ cpus }) => cpus.every((cpu) => host.includes(cpu)));
      assert.ok(left.length >= Math.min(hostCores(cores.length), cores.length - 1), 'the host keeps enough');
      for (const beside of [emulator, iothread]) {
        assert.ok(beside.length > 0 && sameCpus(intersectionOf(beside, host), beside));
      }
      assert.deepEqual(unionOf(host, guest, taken).length, host.length + guest.length + taken.length);
      if (threads > 1) assert.equal(vcpus.length % threads, 0);
      const kinds = cores.map(({ kind }) => kind);
      if (kinds.includes('performance') && kinds.includes('efficiency')) {
        assert.ok(
          guest.every((id) => given.topology.cpus.find((cpu) => cpu.id === id)?.kind === 'performance'),
        );
      }
    }),
    { numRuns: 1000 },
  );
  assert.ok(proposed > 150, `only ${proposed} were proposals`);
});
