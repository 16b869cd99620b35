import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative } from 'node:path';

/** The checkout. */
export const root = join(import.meta.dirname, '..', '..');

/** Texts by their paths in the checkout, "lib/words/size.ts". */
export type SourceFiles = ReadonlyMap<string, string>;

export interface Import {
  readonly from: string;
  /** A path in the checkout, or the name of a package. */
  readonly to: string;
  readonly names: string;
  readonly typeOnly: boolean;
}

/** Every file below these folders whose name ends so. */
export function readSourceFiles(folders: readonly string[], ending: string): SourceFiles {
  const paths = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
      .map((entry) => relative(root, join(entry.parentPath, entry.name))),
  );
  return new Map(paths.sort().map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

const STATEMENT = /^(?:import|export)\s+(type\s+)?([^'";]*?)\s*from\s*'([^']+)'|^import\s*'([^']+)'/gm;
const DYNAMIC = /\bimport\(\s*'([^']+)'\s*\)/g;

/** Every import and re-export of every file, dynamic ones too. */
export function listImports(files: SourceFiles): Import[] {
  return [...files].flatMap(([from, text]) => {
    const place = (name: string) => (name.startsWith('.') ? posix.join(posix.dirname(from), name) : name);
    const statements = [...text.matchAll(STATEMENT)].map(([, type, names = '', named, bare]) => ({
      from,
      to: place(named ?? bare ?? ''),
      names,
      typeOnly: type !== undefined,
    }));
    const dynamic = [...text.matchAll(DYNAMIC)].map(([, name = '']) => ({
      from,
      to: place(name),
      names: '*',
      typeOnly: false,
    }));
    return [...statements, ...dynamic];
  });
}
