import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { inspect } from 'node:util';

/** Files that take longer are shown with their time. */
const WORTH_MS = 2000;

/**
 * A reporter for node's test runner: one line a file, each failure with its cause, and the totals into the file that
 * PASSQEMU_TEST_COUNTS names.
 */
export default async function* report(events) {
  const totals = {};
  const files = new Map();
  let current = null;
  for await (const { type, data } of events) {
    if (type === 'test:diagnostic') {
      const match = /^(\w+) ([\d.]+)$/.exec(data.message);
      if (match !== null && data.nesting === 0) totals[match[1]] = Number(match[2]);
      else yield `    ${data.message}\n`;
    } else if (type === 'test:stderr' || type === 'test:stdout') {
      yield data.message;
    } else if (type === 'test:pass' || type === 'test:fail') {
      // Node tells all results of a file before those of the next
      if (current !== null && current.file !== data.file) yield formatFile(current);
      current = files.get(data.file) ?? { file: data.file, count: 0, failed: 0, ms: 0 };
      files.set(data.file, current);
      if (data.details?.type !== 'suite') current.count++;
      if (data.nesting === 0) current.ms += data.details?.duration_ms ?? 0;
      if (type === 'test:fail') {
        current.failed++;
        if (!failedBelow(data)) yield formatFailure(data);
      } else if (data.skip !== undefined) {
        yield `  skipped: ${data.name}${typeof data.skip === 'string' ? ` (${data.skip})` : ''}\n`;
      }
    }
  }
  if (current !== null) yield formatFile(current);
  const { pass = 0, fail = 0, cancelled = 0, skipped = 0, todo = 0 } = totals;
  const aside = skipped + todo > 0 ? `, ${skipped + todo} skipped` : '';
  yield `${files.size} files: ${pass} passed, ${fail + cancelled} failed${aside}\n`;
  const file = process.env.PASSQEMU_TEST_COUNTS;
  if (file)
    writeFileSync(file, JSON.stringify({ passed: pass, failed: fail + cancelled, skipped: skipped + todo }));
}

function formatFile({ file, count, failed, ms }) {
  const time = ms < WORTH_MS ? '' : `, ${(ms / 1000).toFixed(1)} s`;
  return `${failed > 0 ? 'failed' : 'ok    '} ${relative(process.cwd(), file ?? '')}: ${count} tests${time}\n`;
}

/** A suite or a test that only failed because one inside it did. */
function failedBelow({ details }) {
  return details.error?.failureType === 'subtestsFailed';
}

function formatFailure({ name, file, details }) {
  const error = details.error?.cause ?? details.error;
  const place = file === undefined ? '' : ` (${relative(process.cwd(), file)})`;
  const text = error instanceof Error ? (error.stack ?? error.message) : inspect(error);
  const isBare = error?.code === 'ERR_ASSERTION' && !text.includes('+ actual');
  const values = isBare ? `\nactual: ${inspect(error.actual)}\nexpected: ${inspect(error.expected)}` : '';
  return `✗ ${name}${place}\n${`${text}${values}`.replace(/^/gm, '    ')}\n`;
}
