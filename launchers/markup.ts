import { visible } from '../lib/inputs/parsed.ts';

/** Text of one line as it may stand in HTML, SVG and their attributes: what a device, a guest or a file says is never markup. */
export function escapeMarkup(text: string): string {
  return visible(text).replace(/[&<>"'`]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** The same of several lines. */
export function escapeLines(text: string): string {
  return text.split('\n').map(escapeMarkup).join('\n');
}
