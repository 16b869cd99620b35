import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { build, transform } from 'esbuild';

/** What node need not read costs no time; the names stay, for whoever reads a stack. */
const COMMON = {
  minifyWhitespace: true,
  minifySyntax: true,
  platform: 'node',
  target: 'node20',
  legalComments: 'eof',
  logLevel: 'warning',
};
/** Stands for the end of a comment, which a part must not contain. */
const STAR_SLASH = '*@/';
/** Where the parts begin; the loader, in which it stands too, does not write it in one piece. */
const BEGIN = ['/*par', 'ts\n'];

/**
 * One file out of many parts, of which only those that a command needs are ever compiled: the others are a comment, which node skips
 * some ten times as fast. Dynamic imports in the source are where the parts begin.
 * Of the commands in `kept` the compiled code is kept from one run to the next, under the bundle's name.
 */
export async function bundleParts(name, entry, kept) {
  const { outputFiles } = await build({
    ...COMMON,
    entryPoints: [entry],
    entryNames: 'main',
    bundle: true,
    splitting: true,
    format: 'esm',
    outdir: '/',
    write: false,
  });
  const parts = await Promise.all(
    outputFiles.map(async ({ path, text }) => [`.${path}`, await formatPart(path, text)]),
  );
  // Where each part is: only what is needed is made into text
  const places = {};
  let offset = 0;
  for (const [name, { length }] of parts) {
    places[name] = [offset, offset + length];
    offset += length;
  }
  const text = parts.map(([, part]) => part).join('');
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
  const told = { PLACES: places, BEGIN, STAR_SLASH, BUNDLE: digest, NAME: name, KEPT: kept };
  const constants = Object.entries(told).map(([name, value]) => `const ${name} = ${JSON.stringify(value)};`);
  const loader = await transform(readFileSync(new URL('parts-loader.js', import.meta.url), 'utf8'), COMMON);
  return `${constants.join('\n')}\n${loader.code}${BEGIN.join('')}${text}*/\n`;
}

async function formatPart(path, text) {
  const { code } = await transform(text, {
    ...COMMON,
    format: 'cjs',
    supported: { 'dynamic-import': false },
  });
  if (code.includes(STAR_SLASH)) throw new Error(`${path} contains a mark of ours`);
  // A file of ASCII is half as long in memory, and each character is a byte
  const ascii = code.replace(
    /[^\0-\x7f]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${ascii.replaceAll('*/', STAR_SLASH)}\n`;
}
