import type { Finding, Status } from '../lib/doctor/finding.ts';
import { escapeLines, escapeMarkup } from './markup.ts';

/** What each answer is called, the worst first. */
const WORDS: readonly (readonly [Status, string, string])[] = [
  ['fail', 'Fails', 'fail'],
  ['warn', 'Warning', 'are to be looked after'],
  ['unknown', 'Not seen', 'could not be looked at'],
  ['ok', 'Fine', 'are fine'],
];

/** The doctor's findings: what fails and how to mend it first, what is fine folded. */
export function formatFindingsPart(findings: readonly Finding[]): string {
  const of = (status: Status) => findings.filter((one) => one.status === status);
  const counts = WORDS.map(([status, , words]) => `${of(status).length} ${words}`).join(', ');
  const open = [...of('fail'), ...of('warn')].map(formatFinding);
  const folded = (['unknown', 'ok'] as const).map((status) => {
    const members = of(status);
    const word = status === 'ok' ? 'What is fine' : 'What could not be looked at';
    if (members.length === 0) return '';
    return `<details><summary>${word} (${members.length})</summary>${members.map(formatFinding).join('\n')}</details>`;
  });
  const nothing = open.length === 0 ? '<p>Nothing fails, and there is no warning.</p>' : '';
  return `<p>Of ${findings.length} checks ${counts}.</p>\n${nothing}${open.join('\n')}\n${folded.join('\n')}`;
}

function formatFinding({ id, status, title, summary, detail, remedy }: Finding): string {
  const word = WORDS.find(([one]) => one === status)![1];
  return [
    `<article class="card ${status}">`,
    `<h3><span class="word ${status}">${word}</span> ${escapeMarkup(title)}</h3>`,
    `<p>${escapeMarkup(summary)}</p>`,
    detail === '' ? '' : `<p class="faint">${escapeLines(detail)}</p>`,
    remedy === null ? '' : `<p>What to do:</p><pre>${escapeLines(remedy)}</pre>`,
    `<p class="faint"><code>${escapeMarkup(id)}</code></p>`,
    '</article>',
  ].join('\n');
}
