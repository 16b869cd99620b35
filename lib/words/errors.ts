/** What every complaint of ours carries: one sentence, what to do about it, and the exit code of `cli.md`. */
export class PassqemuError extends Error {
  readonly hint: string | undefined;
  readonly exitCode: 1 | 2 | 3;

  constructor(message: string, hint: string | undefined, exitCode: 1 | 2 | 3, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.hint = hint;
    this.exitCode = exitCode;
  }
}

/** The words of a call are off: an unknown option, a missing argument. */
export class UsageError extends PassqemuError {
  constructor(message: string, hint?: string) {
    super(message, hint, 2);
  }
}

/** One thing that is wrong in a profile, and where; `what` is the predicate ("is not a known key, the nearest is guest"). */
export interface ProfileProblem {
  readonly line: number | null;
  readonly section: string | null;
  readonly key: string | null;
  readonly what: string;
  readonly hint: string | null;
}

/** A profile that cannot be read as one. Holds all its problems at once; the message names the first, the hint the others. */
export class ProfileError extends PassqemuError {
  readonly problems: readonly ProfileProblem[];

  constructor(message: string, hint?: string, problems: readonly ProfileProblem[] = []) {
    super(message, hint, 2);
    this.problems = problems;
  }
}

/** Domain XML that is not one, or not one we dare to read. */
export class DomainError extends PassqemuError {
  constructor(message: string, hint?: string) {
    super(message, hint, 2);
  }
}

/** One reason against a plan: an id for scripts, a sentence, and what to do. */
export interface Refusal {
  readonly id: string;
  readonly summary: string;
  readonly remedy: string | null;
}

/** We could, but it would hurt the host or another guest. Holds all reasons at once. */
export class RefusedError extends PassqemuError {
  readonly refusals: readonly Refusal[];

  constructor(message: string, refusals: readonly Refusal[], hint?: string) {
    super(message, hint, 1);
    this.refusals = refusals;
  }
}

/** The kernel, systemd or another program did not do what it was asked; `code` is the errno's name where there is one. */
export class HostError extends PassqemuError {
  readonly code: string | null;
  readonly path: string | null;

  constructor(
    message: string,
    about: { code?: string | null; path?: string | null; hint?: string; cause?: unknown } = {},
  ) {
    super(message, about.hint, 1, about.cause === undefined ? undefined : { cause: about.cause });
    this.code = about.code ?? null;
    this.path = about.path ?? null;
  }
}

/** Something of ours is still not back; `left` lists it, a line each. */
export class ReleaseError extends PassqemuError {
  readonly left: readonly string[];

  constructor(message: string, left: readonly string[], hint?: string) {
    super(message, hint, 3);
    this.left = left;
  }
}
