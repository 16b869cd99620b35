import fc from 'fast-check';

/** A piece of a document, and what it says. */
export interface Piece<T> {
  readonly xml: string;
  readonly says: T;
}

export const hex = (value: number, width: number) => value.toString(16).padStart(width, '0');
export const numeral = (value: number) => fc.constantFrom(`0x${hex(value, 2)}`, `${value}`);
export const quote = fc.constantFrom('"', "'");
export const gap = fc.constantFrom(
  '',
  '\n  ',
  ' ',
  '<!-- <hostdev type="pci"/> -->',
  '<alias name="ua-x"/>',
  '<?p <vcpu?>',
);
export const yesNo = fc.constantFrom(true, false);

/** An element with its attributes in any order and either quote. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string>>,
  inside: string = '',
): fc.Arbitrary<string> {
  const names = Object.keys(attributes);
  return fc
    .tuple(fc.shuffledSubarray(names, { minLength: names.length }), quote, gap)
    .map(([order, sign, space]) => {
      const written = order.map((key) => ` ${key}=${sign}${attributes[key]}${sign}`).join('');
      return inside === '' && space === ''
        ? `<${name}${written}/>`
        : `<${name}${written}>${space}${inside}</${name}>`;
    });
}
