import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bareCommentSign, formatArgvWords, parseArgvWords } from '../../../lib/inputs/argv-words.ts';

const WORDS: readonly [string, readonly string[]][] = [
  ['/bin/true', ['/bin/true']],
  ['  /bin/echo  a\tb ', ['/bin/echo', 'a', 'b']],
  ['/bin/sh -c \'echo "$HOME"; exit 1\'', ['/bin/sh', '-c', 'echo "$HOME"; exit 1']],
  ['"/opt/my tool/run" "a b"', ['/opt/my tool/run', 'a b']],
  ['a\\ b \\"c\\\' \\\\', ['a b', '"c\'', '\\']],
  ['"a \\"b\\" \\\\ \\$x \\`y \\n"', ['a "b" \\ $x `y \\n']],
  ["'a\\' b", ['a\\', 'b']],
  ['a""b \'\' c"d"\'e\'', ['ab', '', 'cde']],
  ['$HOME ~ * `id` $(id) a|b >c &', ['$HOME', '~', '*', '`id`', '$(id)', 'a|b', '>c', '&']],
  ['/bin/écho Größe', ['/bin/écho', 'Größe']],
];
for (const [text, words] of WORDS) {
  test(`parseArgvWords() of ${JSON.stringify(text)}`, () =>
    assert.deepEqual(parseArgvWords(text), { value: words }));
}

const PROBLEMS: readonly [string, string][] = [
  ['', 'is empty, must name a program'],
  [' \t', 'is empty, must name a program'],
  ['/bin/echo "a', 'has an open ", must close it'],
  ['/bin/echo \'a"', "has an open ', must close it"],
  ['/bin/echo "a\\"', 'has an open ", must close it'],
  ['/bin/echo a\\', 'ends in a backslash, must have a sign after it'],
  ['/bin/echo a\0b', 'has a NUL in it, must be one line of text'],
  ['/bin/echo "a\nb"', 'has a line break in it, must be one line of text'],
  ['/bin/echo \\\nb', 'has a line break in it, must be one line of text'],
  ['/bin/echo "a\\\rb"', 'has a line break in it, must be one line of text'],
];
for (const [text, problem] of PROBLEMS) {
  test(`parseArgvWords() refuses ${JSON.stringify(text)}`, () =>
    assert.deepEqual(parseArgvWords(text), { problem }));
}

test('parseArgvWords() reads back what formatArgvWords() writes', () => {
  const word = fc.string({ unit: 'binary' }).filter((text) => !/[\0\n\r]/.test(text));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), (argv) => {
      assert.deepEqual(parseArgvWords(formatArgvWords(argv)), { value: argv });
      assert.equal(bareCommentSign(formatArgvWords(argv)), null);
    }),
  );
});

test('parseArgvWords() gives no word a sign that is not in the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'ab\'"\\ $;#') }), (text) => {
      const words = parseArgvWords(text);
      if ('problem' in words) return;
      const rest = [...text];
      for (const sign of words.value.join('')) {
        const at = rest.indexOf(sign);
        assert.ok(at >= 0, `${sign} is not in ${text}`);
        rest.splice(at, 1);
      }
      assert.ok(
        rest.every((sign) => '\'"\\ '.includes(sign)),
        `${rest.join('')} of ${text} is lost`,
      );
    }),
  );
});

test('bareCommentSign() finds only what stands outside of quotes', () => {
  const cases = ['a # b', "a '#' b", 'a ";" b', 'a \\# b', 'a;b#', '"#";'];
  assert.deepEqual(cases.map(bareCommentSign), ['#', null, null, null, ';', ';']);
});
