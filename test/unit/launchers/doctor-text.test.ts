import assert from 'node:assert/strict';
import test from 'node:test';
import { formatFindings } from '../../../launchers/doctor-text.ts';
import type { Finding } from '../../../lib/doctor/finding.ts';

const finding = (
  id: string,
  theme: Finding['theme'],
  status: Finding['status'],
  remedy: string | null,
): Finding => ({
  id,
  theme,
  title: 'Title',
  status,
  summary: `Summary of ${id}`,
  detail: `Detail of ${id}.`,
  remedy,
});
const FINDINGS = [
  finding('kvm.a', 'kvm', 'ok', null),
  finding('kvm.b', 'kvm', 'fail', `Do ${'this and '.repeat(12)}that`),
  finding('gpu.a', 'gpu', 'unknown', null),
  finding('gpu.b', 'gpu', 'warn', 'Do it'),
  finding('power.a', 'power', 'ok', null),
];

test('formatFindings() tells what fails first, then by theme what is to be told, and counts', () => {
  assert.equal(
    formatFindings(FINDINGS, { colour: false, verbose: false }),
    `This stands in the way:
  ✗ Summary of kvm.b  kvm.b
      Detail of kvm.b.
      → Do this and this and this and this and this and this and this and this and this and this
      and this and this and that

Graphics cards  ! 1  ? 1
  ! Summary of gpu.b  gpu.b
      Detail of gpu.b.
      → Do it
  ? Summary of gpu.a  gpu.a

KVM  ✗ 1  ✓ 1

Power  ✓ 1

1 fail, 1 warn, 1 could not be looked at, 2 ok  (-v shows all)`,
  );
});

test('formatFindings() shows all with -v, the worse first', () => {
  const text = formatFindings(FINDINGS, { colour: false, verbose: true });
  for (const id of ['kvm.a', 'kvm.b', 'gpu.a', 'gpu.b', 'power.a'])
    assert.match(text, new RegExp(`Detail of ${id}`));
  assert.ok(text.indexOf('KVM') < text.lastIndexOf('Summary of kvm.b'));
  assert.doesNotMatch(text, /-v shows all/);
});

test('formatFindings() paints only where it is asked to', () => {
  assert.ok(formatFindings(FINDINGS, { colour: true, verbose: false }).includes('\x1b[31m✗\x1b[0m'));
  assert.ok(!formatFindings(FINDINGS, { colour: false, verbose: true }).includes('\x1b'));
});
