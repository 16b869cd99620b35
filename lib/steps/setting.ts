import type { Host } from '../host/host.ts';
import { readSetting } from '../host/settings.ts';
import { HostError } from '../words/errors.ts';
import { heldOf } from '../words/step.ts';
import type { StepContext, StepKind } from './step-kind.ts';

/**
 * Sets one value of the whole host and holds it while any guest asks for it. The first guest remembers what was there
 * (the base); every later one copies the base from an entry that holds the setting, and the last one out restores it.
 */
export const settingKind: StepKind<'setting'> = {
  describe: ({ label, value }) => `set ${label} to ${value}`,
  describeUndo: ({ label }, was) => `set ${label} back to ${was.value}`,

  observe({ path, label }, context) {
    const now = readSetting(context.host, path);
    if (now === null)
      throw new HostError(`Cannot read ${label}: this kernel has no such setting`, { code: 'ENOENT', path });
    return { value: baseOfOthers(path, context) ?? now };
  },

  apply({ path, label, value }, _was, { host }) {
    if (readSetting(host, path) !== value) set(host, path, value, `Cannot set ${label} to ${value}`);
    return null;
  },

  undo({ path, label, value }, was, _got, context) {
    if (baseOfOthers(path, context) !== null) return;
    const now = readSetting(context.host, path);
    if (now === was.value) return;
    if (now !== value) {
      context.note(
        `${label} is ${now ?? 'gone'}, which somebody else has set since: left so (it was ${was.value})`,
      );
      return;
    }
    set(context.host, path, was.value, `Cannot set ${label} back to ${was.value}`);
  },

  drift({ path, label, value }, _was, _got, { host }) {
    const now = readSetting(host, path);
    return now === value ? null : `${label} is ${now ?? 'gone'}, not ${value}`;
  },
};

/** Writes the value and looks; `words` begin the sentence where the kernel has it otherwise (524: it cannot do that on this hardware). */
function set(host: Host, path: string, value: string, words: string): void {
  try {
    host.write(path, `${value}\n`);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    throw new HostError(`${words}: the kernel refuses it (${error.code ?? error.message})`, {
      code: error.code,
      path,
      cause: error,
    });
  }
  const now = readSetting(host, path);
  if (now !== value)
    throw new HostError(`${words}: the kernel took the value but shows ${now ?? 'nothing'}`, { path });
}

/** What was there before any guest that holds the setting; null where nobody does. */
function baseOfOthers(path: string, { others }: StepContext): string | null {
  return heldOf(others, 'setting').find((held) => held.step.path === path)?.was.value ?? null;
}
