import assert from 'node:assert/strict';
import { Died, type FakeHost, type Fault } from './fake-host.ts';

/** One machine and what is done on it: built anew for each fault. */
export interface Case {
  readonly name: string;
  /** A machine in the state before; its calls are counted from then on. */
  build(): FakeHost | Promise<FakeHost>;
  /** What may die or fail. */
  act(host: FakeHost): Promise<unknown>;
  /** What the next process does to put things right; must not throw. */
  mend(host: FakeHost): Promise<unknown>;
  /** The machine as people see it, line by line. */
  dump(host: FakeHost): readonly string[];
  /** What the dump must be in the end; by default that of the machine as built. */
  expected?(): readonly string[];
}

/** Lets the process die at every call, before it and in the middle of it, and has another process put things right. */
export async function dieEverywhere(one: Case): Promise<number> {
  const calls = await listCalls(one);
  for (const how of ['die', 'die-in', 'die-late'] as const) {
    for (let at = 1; at <= calls.length; at++) {
      if (how === 'die-in' && !HAS_MIDDLE.test(calls[at - 1]!)) continue;
      if (how === 'die-late' && !IS_ASKED.test(calls[at - 1]!)) continue;
      const { host, wanted } = await start(one, { at, how });
      const call = await died(() => one.act(host), host);
      const next = host.restart();
      await one.mend(next).catch((error: unknown) => {
        throw new Error(`${one.name}: ${how} at call ${at} (${call}): mending failed: ${String(error)}`, {
          cause: error,
        });
      });
      next.deliverLate();
      assert.deepEqual(one.dump(next), wanted, `${one.name}: ${how} at call ${at} (${call})`);
    }
  }
  return calls.length;
}

/** The calls in the middle of which one can die. */
const HAS_MIDDLE = /^(?:createFile|overwrite|changeOwner|writeSlowly|run|exchange|spawnDetached) /;
/** Those whose work somebody else does, sooner or later. */
const IS_ASKED = /^exchange /;

/**
 * Lets every call (of those that match `which`) fail with an errno; the process itself goes on, and whatever it left undone
 * another one puts right.
 */
export async function failEverywhere(one: Case, codes: readonly string[], which = /./): Promise<number> {
  const calls = await listCalls(one);
  let failed = 0;
  for (const how of codes) {
    for (let at = 1; at <= calls.length; at++) {
      if (!which.test(calls[at - 1]!)) continue;
      const { host, wanted } = await start(one, { at, how });
      let error: unknown = null;
      await one.act(host).catch((caught: unknown) => {
        error = caught;
      });
      const call = host.calls[at - 1];
      if (error !== null) {
        failed++;
        assert.ok(
          'exitCode' in (error as object),
          `${one.name}: ${how} at call ${at} (${call}): ${String((error as Error).stack)}`,
        );
      }
      const next = host.restart();
      await one.mend(next).catch((caught: unknown) => {
        throw new Error(`${one.name}: ${how} at call ${at} (${call}): mending failed: ${String(caught)}`, {
          cause: caught,
        });
      });
      assert.deepEqual(one.dump(next), wanted, `${one.name}: ${how} at call ${at} (${call})`);
    }
  }
  assert.ok(failed > 0, `${one.name}: no fault was noticed at all`);
  return calls.length;
}

async function listCalls(one: Case): Promise<readonly string[]> {
  const host = await one.build();
  const before = host.calls.length;
  await one.act(host);
  assert.ok(host.calls.length > before);
  return host.calls;
}

async function start(one: Case, fault: Fault): Promise<{ host: FakeHost; wanted: readonly string[] }> {
  const host = await one.build();
  const wanted = one.expected?.() ?? one.dump(host);
  host.fault = fault;
  return { host, wanted };
}

async function died(act: () => Promise<unknown>, host: FakeHost): Promise<string> {
  try {
    await act();
  } catch (error) {
    if (error instanceof Died) return host.calls.at(-1) ?? '';
    throw error;
  }
  throw new Error(`The process did not die: ${host.calls.length} calls, fault at ${host.fault?.at}`);
}
