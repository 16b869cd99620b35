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
const MARK = '\n//part ';

/**
 * One file out of many parts, of which only those that a command needs are ever compiled: the others are a comment, which node skips
 * some ten times as fast. Dynamic imports in the source are where the parts begin.
 */
export async function bundleParts(entry) {
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
  const parts = await Promise.all(outputFiles.map(({ path, text }) => formatPart(path.slice(1), text)));
  return `${LOADER}\n/*${parts.join('')}${MARK}end\n*/\n`;
}

async function formatPart(name, text) {
  const { code } = await transform(text, {
    ...COMMON,
    format: 'cjs',
    supported: { 'dynamic-import': false },
  });
  if (code.includes(STAR_SLASH) || code.includes(MARK)) throw new Error(`${name} contains a mark of ours`);
  // A file of ASCII is half as long in memory
  const ascii = code.replace(
    /[^\0-\x7f]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${MARK}${name}\n${ascii.replaceAll('*/', STAR_SLASH)}`;
}

/** Finds the parts in its own file and runs one when it is first required. */
const LOADER = `const parts = new Map(), loaded = new Map();
for (const part of require('node:fs').readFileSync(__filename, 'latin1').split(${JSON.stringify(MARK)}).slice(1)) {
  const end = part.indexOf('\\n');
  parts.set('./' + part.slice(0, end), part.slice(end + 1));
}
const load = (name) => {
  const text = parts.get(name);
  if (text === undefined) return require(name);
  let module = loaded.get(name);
  if (module === undefined) {
    loaded.set(name, module = { exports: {} });
    const filename = __filename + '#' + name.slice(2);
    const words = ['exports', 'require', 'module', '__filename'];
    require('node:vm').compileFunction(text.replaceAll(${JSON.stringify(STAR_SLASH)}, '*/'), words, { filename })(module.exports, load, module, __filename);
  }
  return module.exports;
};
load('./main.js');`;
