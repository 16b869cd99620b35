import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guestNameProblem, parseHookCall } from '../../../lib/inputs/hook-call.ts';

const KNOWN: readonly (readonly [string, string, string, string])[] = [
  ['win11', 'prepare', 'begin', '-'],
  ['win11', 'start', 'begin', '-'],
  ['win11', 'started', 'begin', '-'],
  ['win11', 'stopped', 'end', '-'],
  ['win11', 'release', 'end', 'from snapshot'],
  ['win11', 'reconnect', 'begin', '-'],
  ['win11', 'attach', 'begin', '-'],
  ['win11', 'migrate', 'begin', '-'],
  ['win11', 'restore', 'begin', '-'],
  ['007', 'prepare', 'begin', '-'],
  ['--help', 'prepare', 'begin', '-'],
  ['-rf', 'release', 'end', '-'],
  ['prepare', 'prepare', 'begin', '-'],
  ['a b  c', 'prepare', 'begin', '-'],
  ['Größe 大', 'prepare', 'begin', '-'],
];
for (const [guest, operation, subOperation, extra] of KNOWN) {
  test(`parseHookCall() knows ${operation} ${subOperation} of ${JSON.stringify(guest)}`, () => {
    const call = { kind: 'known', guest, operation, subOperation, extra };
    assert.deepEqual(parseHookCall([guest, operation, subOperation, extra]), call);
  });
}

const UNKNOWN: readonly (readonly string[])[] = [
  [],
  ['win11'],
  ['win11', 'prepare'],
  ['win11', 'prepare', 'end', '-'],
  ['win11', 'release', 'begin', '-'],
  ['win11', 'undefine', 'begin', '-'],
  ['win11', 'toString', 'begin', '-'],
  ['win11', '__proto__', 'begin', '-'],
  ['win11', 'PREPARE', 'begin', '-'],
  ['a/b', 'prepare', 'begin', '-'],
  ['', 'prepare', 'begin', '-'],
];
for (const argv of UNKNOWN) {
  test(`parseHookCall() does not know ${JSON.stringify(argv)}`, () => {
    const [guest = '', operation = '-', subOperation = '-', extra = '-'] = argv;
    assert.deepEqual(parseHookCall(argv), { kind: 'unknown', guest, operation, subOperation, extra });
  });
}

const NAMES: readonly [string, string | null][] = [
  ['win11', null],
  ['.hidden', null],
  ['...', null],
  ['-rf', null],
  ['a b', null],
  ['ü'.repeat(100), null],
  ['', 'is empty'],
  ['.', 'is the name of a folder'],
  ['..', 'is the name of a folder'],
  ['../etc', 'has a / in it'],
  ['a\0', 'has a sign in it that cannot be seen'],
  ['a\nb', 'has a sign in it that cannot be seen'],
  ['a\tb', 'has a sign in it that cannot be seen'],
  ['a\u202eb', 'has a sign in it that cannot be seen'],
  ['x'.repeat(201), 'is longer than 200 bytes'],
  [`x${'ü'.repeat(100)}`, 'is longer than 200 bytes'],
];
for (const [name, problem] of NAMES) {
  test(`guestNameProblem() of ${JSON.stringify(name.slice(0, 20))} is ${problem}`, () => {
    assert.equal(guestNameProblem(name), problem);
  });
}
