import type { CommandPicture } from '../host/command-files.ts';
import type { Profile, UserCommand } from '../inputs/profile.ts';
import type { Refusal } from '../words/errors.ts';
import type { StepOf } from '../words/step.ts';
import type { PlanPart } from './part.ts';

type Commands = Profile['commands'];

/**
 * The commands of the user's as the outermost steps of the plan: prepare-first with release-last around everything,
 * prepare-last with release-first inside. Refusals are about all six, those that no step runs (started, stopped) too.
 */
export function planCommands(
  commands: Commands,
  picture: CommandPicture,
): { readonly first: PlanPart; readonly last: PlanPart } {
  const { prepareFirst, prepareLast, releaseFirst, releaseLast } = commands;
  const part = (steps: StepOf<'command'>[]): PlanPart => ({ steps, refusals: [], notes: [] });
  const last = part(pair('prepare-last', prepareLast, releaseFirst));
  const first = {
    ...part(pair('prepare-first', prepareFirst, releaseLast)),
    refusals: refuse(picture),
  };
  return { first, last };
}

function pair(name: string, there: UserCommand | null, back: UserCommand | null): StepOf<'command'>[] {
  if (there === null && back === null) return [];
  return [
    {
      kind: 'command',
      target: (there ?? back)!.argv[0] ?? '',
      from: null,
      to: null,
      name,
      argv: there?.argv ?? [],
      timeoutMs: there?.timeoutMs ?? 0,
      undoArgv: back?.argv ?? null,
      undoTimeoutMs: back?.timeoutMs ?? 0,
    },
  ];
}

function refuse(picture: CommandPicture): Refusal[] {
  return [...picture].flatMap(([program, fault]) =>
    fault === null
      ? []
      : [
          {
            id: 'command',
            summary: `Cannot run the command ${program}: ${fault}`,
            remedy: 'Name a program that only its owner, root or you, may change',
          },
        ],
  );
}
