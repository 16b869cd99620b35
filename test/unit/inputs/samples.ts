import { readFileSync } from 'node:fs';

/** The text of one of the domains beside this file. */
export function readSample(name: 'gaming' | 'numa' | 'small'): string {
  return readFileSync(new URL(`./samples/${name}.xml`, import.meta.url), 'utf8');
}
