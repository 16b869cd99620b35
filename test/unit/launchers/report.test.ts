import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeLines, escapeMarkup } from '../../../launchers/markup.ts';
import { formatReport } from '../../../launchers/report-page.ts';
import { HOSTILE, reportInput } from '../../page/report-input.ts';

test('formatReport() puts what fails first, and no text of the machine is markup', () => {
  const page = formatReport(reportInput());
  const order = [
    'card fail',
    'card warn',
    'What could not be looked at',
    'What is fine',
    'Group 2',
    '<svg',
    'Node 9',
    'Raw data</h2>',
  ];
  const places = order.map((text) => page.indexOf(text));
  assert.deepEqual(
    places,
    [...places].sort((a, b) => a - b),
  );
  assert.ok(places.every((at) => at > 0));
  assert.ok(!page.includes(HOSTILE));
  assert.doesNotMatch(page, /<script|<img|onerror="|https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
});

test('formatReport() says what is missing instead of leaving it out', () => {
  const input = reportInput();
  const page = formatReport({
    ...input,
    system: null,
    findings: [],
    devices: { iommu: { enabled: false, units: [] }, groups: [], devices: input.devices.devices },
    topology: { ...input.topology, guests: null },
  });
  for (const text of [
    'not told',
    'Nothing fails',
    'There is no IOMMU',
    'In no group',
    'make the report as root',
  ])
    assert.ok(page.includes(text), text);
});

test('escapeMarkup() leaves nothing that HTML would take for its own', () => {
  assert.equal(
    escapeMarkup(`<a href="x" b='y' c=\`z\`>&\n\x1b`),
    '&#60;a href=&#34;x&#34; b=&#39;y&#39; c=&#96;z&#96;&#62;&#38;  ',
  );
  assert.equal(escapeLines('a<\nb'), 'a&#60;\nb');
});
