import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { inspect } from 'node:util';

/**
 * A reporter for node's test runner: one line a file, each failure with its cause, and the totals into the file that
 * PASSQEMU_TEST_COUNTS names.
 */
export default async function* report(events) {
  const totals = {};
  const files = new Map();
  for await (const { type, data } of events) {
    if (type === 'test:diagnostic') {
      const match = /^(tests|pass|fail|cancelled|skipped|todo) (\d+)$/.exec(data.message);
      if (/^(suites|duration_ms) /.test(data.message)) continue;
      if (match !== null) totals[match[1]] = Number(match[2]);
      else yield `    ${data.message}\n`;
    } else if (type === 'test:stderr' || type === 'test:stdout') {
      yield data.message;
    } else if (type === 'test:fail') {
      if (!failedBelow(data)) yield formatFailure(data);
    } else if (type === 'test:pass' && data.skip !== undefined) {
      yield `  skipped: ${data.name}${typeof data.skip === 'string' ? ` (${data.skip})` : ''}\n`;
    }
    if ((type === 'test:pass' || type === 'test:fail') && data.details?.type !== 'suite') {
      const file = data.file ?? '';
      files.set(file, (files.get(file) ?? 0) + 1);
    }
  }
  const { pass = 0, fail = 0, cancelled = 0, skipped = 0, todo = 0 } = totals;
  const aside = skipped + todo > 0 ? `, ${skipped + todo} skipped` : '';
  yield `${files.size} files: ${pass} passed, ${fail + cancelled} failed${aside}\n`;
  const file = process.env.PASSQEMU_TEST_COUNTS;
  if (file)
    writeFileSync(file, JSON.stringify({ passed: pass, failed: fail + cancelled, skipped: skipped + todo }));
}

/** A suite or a test that only failed because one inside it did. */
function failedBelow({ details }) {
  return details.error?.failureType === 'subtestsFailed';
}

function formatFailure({ name, file, details }) {
  const error = details.error?.cause ?? details.error;
  const place = file === undefined ? '' : ` (${relative(process.cwd(), file)})`;
  const text = error instanceof Error ? (error.stack ?? error.message) : inspect(error);
  const diff =
    error?.code === 'ERR_ASSERTION' && !text.includes('+ actual')
      ? `\nactual: ${inspect(error.actual)}\nexpected: ${inspect(error.expected)}`
      : '';
  return `✗ ${name}${place}\n${`${text}${diff}`.replace(/^/gm, '    ')}\n`;
}
