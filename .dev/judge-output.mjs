/**
 * Judges a scenario's run: it is good when it ended with 0, said "ok" at least once, never "not ok", and as often as its plan
 * line promised, if it has one. Gives { passed, failed, why }.
 */
export function judgeOutput(status, output) {
  const passed = count(output, /^ok\b/gm);
  const refused = count(output, /^not ok\b/gm);
  const planned = /^1\.\.(\d+)$/m.exec(output)?.[1];
  const faults = [
    ...(refused > 0 ? [`${refused} not ok`] : []),
    ...(status !== 0 ? [`status ${status}`] : []),
    ...(passed + refused === 0 ? ['it checked nothing'] : []),
    ...(planned !== undefined && Number(planned) !== passed + refused
      ? [`${passed + refused} of ${planned} checks`]
      : []),
  ];
  return { passed, failed: faults.length === 0 ? 0 : Math.max(1, refused), why: faults.join(', ') };
}

function count(text, pattern) {
  return text.match(pattern)?.length ?? 0;
}
