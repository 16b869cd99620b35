import type { Checkup } from '../host/checkup.ts';
import { visible } from '../inputs/parsed.ts';
import { isUnseen, type Seen } from '../words/seen.ts';
import type { Finding, Status, Theme } from './finding.ts';

/** What one check says of one machine; `facts` are further sentences beside the summary. */
export interface Verdict {
  readonly status: Status;
  readonly summary: string;
  readonly facts: string;
  readonly remedy: string | null;
}

/** One row of a theme's table. */
export interface Check {
  readonly id: string;
  /** What is asked, in a few words. */
  readonly title: string;
  /** Why it matters for passthrough: a sentence or two, for the manual and for whoever reads the finding. */
  readonly meaning: string;
  judge(checkup: Checkup): Verdict;
}

/** Nothing is wrong. */
export function ok(summary: string, facts = ''): Verdict {
  return { status: 'ok', summary, facts, remedy: null };
}

/** It works, but somebody will be sorry. */
export function warn(summary: string, remedy: string, facts = ''): Verdict {
  return { status: 'warn', summary, facts, remedy };
}

/** A guest will not start, or not work. */
export function fail(summary: string, remedy: string, facts = ''): Verdict {
  return { status: 'fail', summary, facts, remedy };
}

/** Nobody could look; `why` is a clause ("/dev/kmsg cannot be read (EPERM)"), `remedy` how to see more. */
export function unknown(why: string, remedy: string | null = hintFor(why)): Verdict {
  return { status: 'unknown', summary: `Could not look: ${why}`, facts: '', remedy };
}

/** Judges what a reader has seen, or says that it could not look. */
export function withSeen<T>(seen: Seen<T>, judge: (value: T) => Verdict): Verdict {
  return isUnseen(seen) ? unknown(seen.unseen) : judge(seen.value);
}

/** Runs one check; its meaning becomes part of the detail. */
export function runCheck(theme: Theme, check: Check, checkup: Checkup): Finding {
  const { status, summary, facts, ...verdict } = check.judge(checkup);
  const remedy =
    verdict.remedy === AS_ROOT && checkup.isRecorded ? 'Take the snapshot anew as root' : verdict.remedy;
  const detail = facts === '' ? check.meaning : `${facts} ${check.meaning}`;
  // Names of devices, paths and lines of logs are strangers' words
  const texts = {
    summary: visible(summary),
    detail: visible(detail),
    remedy: remedy === null ? null : visible(remedy),
  };
  return { id: check.id, theme, title: check.title, status, ...texts };
}

const AS_ROOT = 'Run passqemu doctor as root (sudo passqemu doctor)';

function hintFor(why: string): string | null {
  return /\((EACCES|EPERM)\)/.test(why) ? AS_ROOT : null;
}
