import { PassqemuError } from '../lib/words/errors.ts';

/** One answer to choose from. */
export interface Choice<T> {
  readonly value: T;
  readonly label: string;
  readonly hint?: string;
}

/** Asks a person. Every question ends in an answer, or throws AskCancelled. */
export interface Ask {
  /** One line of text. `check` says what is wrong with it, or null. */
  text(
    question: string,
    about: { readonly proposed: string; check(text: string): string | null },
  ): Promise<string>;
  one<T>(question: string, choices: readonly Choice<T>[], proposed: T): Promise<T>;
  some<T>(question: string, choices: readonly Choice<T>[], proposed: readonly T[]): Promise<readonly T[]>;
  yes(question: string, proposed: boolean): Promise<boolean>;
  /** Tells something between two questions. */
  tell(text: string): void;
}

/** The person has had enough: nothing was written. */
export class AskCancelled extends PassqemuError {
  constructor() {
    super('Cancelled: nothing was written', undefined, 1);
  }
}

/** Questions on the terminal; the package behind them is loaded here and nowhere else. */
export async function askOnTerminal(): Promise<Ask> {
  const prompts = await import('@clack/prompts');
  const answer = <T>(given: T): Exclude<T, symbol> => {
    if (prompts.isCancel(given)) throw new AskCancelled();
    return given as Exclude<T, symbol>;
  };
  return {
    text: async (message, { proposed, check }) =>
      answer(
        await prompts.text({
          message,
          initialValue: proposed,
          validate: (text) => check((text ?? '').trim()) ?? undefined,
        }),
      ).trim(),
    one: async (message, choices, proposed) => {
      const options = choices.map(({ label, hint }, value) => ({
        value,
        label,
        ...(hint !== undefined && { hint }),
      }));
      const initialValue = Math.max(
        0,
        choices.findIndex(({ value }) => value === proposed),
      );
      return choices[answer(await prompts.select({ message, options, initialValue }))]!.value;
    },
    some: async (message, choices, proposed) => {
      const options = choices.map(({ label, hint }, value) => ({
        value,
        label,
        ...(hint !== undefined && { hint }),
      }));
      const initialValues = [...choices.keys()].filter((index) => proposed.includes(choices[index]!.value));
      const chosen = answer(await prompts.multiselect({ message, options, initialValues, required: false }));
      return chosen.map((index) => choices[index]!.value);
    },
    yes: async (message, proposed) => answer(await prompts.confirm({ message, initialValue: proposed })),
    tell: (text) => prompts.log.info(text),
  };
}
