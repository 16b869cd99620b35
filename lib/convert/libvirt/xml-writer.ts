/** An element to be written: its name, attributes (null ones are left out) and what is in it, elements or text. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | number | null>>;
  readonly inside: readonly (XmlElement | null)[] | string;
}

/** Shorthand for an element; null among the inner ones is nothing. */
export function xml(
  name: string,
  attributes: XmlElement['attributes'] = {},
  inside: XmlElement['inside'] = [],
): XmlElement {
  return { name, attributes, inside };
}

/** Writes an element as libvirt does: two spaces a level, single quotes, everything of a stranger's escaped. */
export function formatXml(element: XmlElement, indent: string = ''): string {
  const attributes = Object.entries(element.attributes)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => ` ${name}='${escaped(String(value))}'`)
    .join('');
  const { name, inside } = element;
  if (typeof inside === 'string') return `${indent}<${name}${attributes}>${escaped(inside)}</${name}>\n`;
  const inner = inside.filter((one) => one !== null).map((one) => formatXml(one, `${indent}  `));
  return inner.length === 0
    ? `${indent}<${name}${attributes}/>\n`
    : `${indent}<${name}${attributes}>\n${inner.join('')}${indent}</${name}>\n`;
}

const NAMED: Readonly<Record<string, string>> = {
  '&': 'amp',
  '<': 'lt',
  '>': 'gt',
  "'": 'apos',
  '"': 'quot',
};

function escaped(text: string): string {
  return text.replace(/[&<>'"]|[\t\n\r]/g, (sign) => `&${NAMED[sign] ?? `#${sign.charCodeAt(0)}`};`);
}
