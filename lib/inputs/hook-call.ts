import { hiddenSignAt } from './parsed.ts';

/** More is no domain: libvirt's own documents have some kilobytes. */
export const LARGEST_DOMAIN_BYTES = 8 * 1024 * 1024;

/** The operations of libvirt's qemu hook (docs/hooks.rst) and the one sub-operation each comes with. */
const SUB_OPERATION = {
  prepare: 'begin',
  start: 'begin',
  started: 'begin',
  stopped: 'end',
  release: 'end',
  reconnect: 'begin',
  attach: 'begin',
  migrate: 'begin',
  restore: 'begin',
} as const;
export type HookOperation = keyof typeof SUB_OPERATION;

/**
 * What libvirt tells its hook: guest, operation, sub-operation, and an extra word (since 10.5.0 the reason of a
 * release, else "-"). Kind "unknown" is a call that a later libvirt may make: to be answered with exit 0 and nothing else.
 */
export type HookCall =
  | {
      readonly kind: 'known';
      readonly guest: string;
      readonly operation: HookOperation;
      readonly subOperation: string;
      readonly extra: string;
    }
  | {
      readonly kind: 'unknown';
      readonly guest: string;
      readonly operation: string;
      readonly subOperation: string;
      readonly extra: string;
    };

/** Reads the hook's arguments by position: a guest may be called "007" or "--help". Missing ones are "-", as libvirt writes them. */
export function parseHookCall(argv: readonly string[]): HookCall {
  const [guest = '', operation = '-', subOperation = '-', extra = '-'] = argv;
  const isKnown =
    isOperation(operation) && SUB_OPERATION[operation] === subOperation && guestNameProblem(guest) === null;
  return isKnown
    ? { kind: 'known', guest, operation, subOperation, extra }
    : { kind: 'unknown', guest, operation, subOperation, extra };
}

/** Bytes of a guest's name that still leave room for our endings within the file system's 255. */
const LONGEST_NAME_BYTES = 200;

/**
 * Why a name cannot be a guest's, as the predicate of a sentence, or null. It becomes a file name (profile, journal);
 * libvirt itself takes spaces, Unicode and a leading "-", and refuses "/".
 */
export function guestNameProblem(name: string): string | null {
  if (name === '') return 'is empty';
  if (name === '.' || name === '..') return 'is the name of a folder';
  if (name.includes('/')) return 'has a / in it';
  if (hiddenSignAt(name) >= 0 || name.includes('\t')) return 'has a sign in it that cannot be seen';
  if (Buffer.byteLength(name) > LONGEST_NAME_BYTES) return `is longer than ${LONGEST_NAME_BYTES} bytes`;
  return null;
}

function isOperation(text: string): text is HookOperation {
  return Object.hasOwn(SUB_OPERATION, text);
}
