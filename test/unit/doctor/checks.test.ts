import assert from 'node:assert/strict';
import test from 'node:test';
import { THEMES } from '../../../lib/doctor/finding.ts';
import { CHECKS } from '../../../lib/doctor/run-checks.ts';
import { type Case, look } from './case.ts';
import { GPU_CASES } from './cases-gpu.ts';
import { GUEST_CASES } from './cases-guest.ts';
import { GUEST_RUN_CASES, HEALTHY_RUN_GUEST } from './cases-guest-run.ts';
import { IOMMU_CASES } from './cases-iommu.ts';
import { LIBVIRT_CASES } from './cases-libvirt.ts';
import { MEMORY_CASES } from './cases-memory.ts';
import { VFIO_CASES } from './cases-vfio.ts';

const CASES: readonly Case[] = [
  ...IOMMU_CASES,
  ...VFIO_CASES,
  ...GPU_CASES,
  ...LIBVIRT_CASES,
  ...MEMORY_CASES,
  ...GUEST_CASES,
  ...GUEST_RUN_CASES,
];
const ids = THEMES.flatMap((theme) => CHECKS[theme].map(({ id }) => id));

test('every check has a machine on which it complains and one on which it cannot look, once', () => {
  assert.deepEqual(CASES.map(({ id }) => id).sort(), [...ids].sort());
  assert.equal(new Set(ids).size, ids.length);
});

test('there are more checks than the 50 that were promised', () => {
  assert.ok(ids.length >= 50, `${ids.length}`);
});

test('on the healthy machine every check is ok', async () => {
  const findings = await look(() => {});
  assert.deepEqual(
    findings.map(({ id }) => id),
    ids,
  );
  assert.deepEqual(
    findings.filter(({ status, remedy }) => status !== 'ok' || remedy !== null),
    [],
  );
});

test('with a guest that run can start every check of such a guest has looked and is ok', async () => {
  const findings = (await look(HEALTHY_RUN_GUEST)).filter(({ id }) => id.startsWith('guest.run-'));
  assert.deepEqual(
    findings.map(({ status }) => status),
    GUEST_RUN_CASES.map(() => 'ok'),
    findings.map(({ summary }) => summary).join('; '),
  );
  for (const { summary } of findings) assert.doesNotMatch(summary, /No guest|not one/);
});

for (const { id, status, spoil, remedy, hide, why } of CASES) {
  test(`${id} says ${status} and what to do`, async () => {
    const finding = (await look(spoil)).find((one) => one.id === id)!;
    assert.equal(finding.status, status, finding.summary);
    assert.ok(finding.remedy?.includes(remedy), `${remedy} in: ${finding.remedy}`);
  });

  test(`${id} says why it could not look`, async () => {
    const finding = (await look(hide)).find((one) => one.id === id)!;
    assert.equal(finding.status, 'unknown', finding.summary);
    assert.ok(finding.summary.includes(why), `${why} in: ${finding.summary}`);
  });
}

test('no sentence has a hole, and what a check means is a whole one', async () => {
  for (const { spoil } of CASES) {
    for (const { id, summary, detail, remedy } of await look(spoil)) {
      for (const text of [summary, remedy ?? 'None']) {
        assert.doesNotMatch(text, /undefined|null|NaN|\[object|\.$|^\s|\s$| {2}/, `${id}: ${text}`);
      }
      assert.match(detail, /[.)]$/, `${id}: ${detail}`);
    }
  }
});
