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

test('importDomain() takes neither commands nor the hand-over from a domain’s metadata', () => {
  const keys = ['commands.prepare-first', 'handover.sessions', 'cpu.governor'].map((name) => {
    const [section, key] = name.split('.');
    return `<p:key section="${section}" name="${key}">end</p:key>`;
  });
  const back = importDomain(
    `<domain type="kvm"><name>g</name><memory>1048576</memory><metadata><p:profile xmlns:p="urn:passqemu:1">${keys.join('')}</p:profile></metadata></domain>`,
    NO_HOST,
  );
  assert.doesNotMatch(back.profile, /prepare-first|sessions|handover|commands/);
  assert.match(back.profile, /governor = end/);
  const dropped = back.dropped.filter(({ why }) => why.startsWith('only the profile may say that'));
  assert.equal(dropped.length, 2);
});
