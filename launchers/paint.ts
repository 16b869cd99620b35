/** Colours a text for a terminal: `code` is one of ECMA-48's (SGR), 1 bold, 31 red, 32 green, 33 yellow, 36 cyan. */
export type Paint = (code: number, text: string) => string;

/** How texts are painted where colour is wanted, and where it is not. */
export function painter(colour: boolean): Paint {
  return (code, text) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);
}
