import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportDomain } from '../../../../lib/convert/libvirt/export.ts';
import { importDomain } from '../../../../lib/convert/libvirt/import.ts';
import { parseDomain } from '../../../../lib/inputs/domain-xml.ts';
import { FUNCTIONS, linesOf, NO_HOST, USUAL_UUID, WHOLE } from '../samples.ts';

test('exportDomain() and importDomain() keep every fact that both know', () => {
  const out = exportDomain({
    guest: 'win 11',
    path: '/x.ini',
    text: WHOLE,
    functions: FUNCTIONS,
    uuid: USUAL_UUID,
  });
  assert.deepEqual(out.dropped, []);
  const back = importDomain(out.xml, NO_HOST);
  assert.deepEqual(linesOf(back.profile), linesOf(WHOLE));
  assert.equal(back.guest, 'win 11');
  assert.deepEqual(
    back.dropped.map(({ what }) => what),
    ['/domain/devices/tpm, its state'],
  );
});

test('exportDomain() writes a domain that the hook reads as it reads the profile', () => {
  const { xml } = exportDomain({
    guest: 'g',
    path: '/x.ini',
    text: WHOLE,
    functions: FUNCTIONS,
    uuid: USUAL_UUID,
  });
  const domain = parseDomain(xml);
  assert.deepEqual(
    domain.functions.map(({ address, managed }) => [address, managed]),
    [...FUNCTIONS.values()].map((address) => [address, true]),
  );
  assert.deepEqual([domain.memoryKib, domain.vcpus], [8 * 1024 ** 2, 4]);
  assert.deepEqual([...domain.vcpuPins.values()], [[2], [3], [4], [5]]);
  assert.equal(domain.metadata.get('devices.gpu'), '0000:01:00.0 10de:2684:1458:40bf');
  assert.equal(domain.metadata.get('cpu.governor'), 'performance');
});
