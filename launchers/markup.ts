import { visible } from '../lib/inputs/parsed.ts';

/** Text as it may stand in HTML, SVG and their attributes: what a device, a guest or a file says is never markup. */
export function escapeMarkup(text: string): string {
  return visible(text).replace(/[&<>"'`]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
