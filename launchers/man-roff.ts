import { VERSION } from '../lib/words/version.ts';

/** Text for roff: no sign of it is a request or an escape. See man(7). */
export function escapeRoff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/’/g, "'")
    .replaceAll('…', '...')
    .replace(/^(?=[.'])/gm, '\\&');
}

/** The head of a page: its name, section, and what it is about, as apropos(1) reads it. */
export function formatHead(name: string, section: number, about: string): string[] {
  return [
    `.TH ${name.toUpperCase()} ${section} 2026-11-21 "passqemu ${VERSION}" "passqemu"`,
    '.SH NAME',
    `${escapeRoff(name)} \\- ${escapeRoff(about)}`,
  ];
}

/** A tagged paragraph: what stands at the left, in bold, and the text beside it. */
export function formatTagged(tag: string, ...paragraphs: readonly string[]): string[] {
  const [first = '', ...more] = paragraphs;
  return [
    '.TP',
    `\\fB${escapeRoff(tag)}\\fR`,
    escapeRoff(first),
    ...more.flatMap((text) => ['.br', escapeRoff(text)]),
  ];
}

/** Plain paragraphs under a heading. */
export function formatSection(heading: string, ...paragraphs: readonly string[]): string[] {
  return [
    `.SH ${heading}`,
    ...paragraphs.flatMap((text, at) => (at === 0 ? [escapeRoff(text)] : ['.PP', escapeRoff(text)])),
  ];
}
