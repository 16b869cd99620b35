import { SaxesParser } from 'saxes';
import { visible } from '../../inputs/parsed.ts';

/**
 * An element of a whole document that keeps account of what was read of it, so that whatever nobody asked for can be
 * told. Names of a namespace are "{uri}name".
 */
export class XmlNode {
  readonly name: string;
  /** "/domain/devices/hostdev[2]", for messages. */
  readonly path: string;
  readonly #attributes = new Map<string, string>();
  readonly #children: XmlNode[] = [];
  readonly #readAttributes = new Set<string>();
  #text = '';
  #isTextRead = false;
  #isRead = false;

  constructor(name: string, path: string) {
    this.name = name;
    this.path = path;
  }

  /** An attribute's text, or null; from now on it counts as read. */
  attribute(name: string): string | null {
    this.#isRead = true;
    this.#readAttributes.add(name);
    return this.#attributes.get(name) ?? null;
  }

  /** The text directly inside, without space around it. */
  text(): string {
    this.#isRead = true;
    this.#isTextRead = true;
    return this.#text.trim();
  }

  /** The first element of that name in it, or null. */
  one(name: string): XmlNode | null {
    return this.all(name)[0] ?? null;
  }

  /** All elements of that name in it. */
  all(name: string): readonly XmlNode[] {
    this.#isRead = true;
    const found = this.#children.filter((child) => child.name === name);
    for (const child of found) child.#isRead = true;
    return found;
  }

  /** Everything in it counts as read: it means nothing to a profile, or was understood elsewhere. */
  settle(): void {
    this.#isRead = true;
    this.#isTextRead = true;
    for (const name of this.#attributes.keys()) this.#readAttributes.add(name);
    for (const child of this.#children) child.settle();
  }

  /** What nobody has read: an element as a whole where none of it was, else its attributes and texts. */
  unread(): string[] {
    if (!this.#isRead) return [`${this.path}${this.#summary()}`];
    const attributes = [...this.#attributes.keys()].filter((name) => !this.#readAttributes.has(name));
    return [
      ...attributes.map((name) => `${this.path}/@${name}=${shown(this.#attributes.get(name)!)}`),
      ...(this.#isTextRead || this.#text.trim() === '' ? [] : [`${this.path}: ${shown(this.#text.trim())}`]),
      ...this.#children.flatMap((child) => child.unread()),
    ];
  }

  /** What tells an unread element from others of its name. */
  #summary(): string {
    const marks = [...this.#attributes].slice(0, 3).map(([name, value]) => `${name}=${shown(value)}`);
    const text = this.#text.trim() === '' ? '' : `: ${shown(this.#text.trim())}`;
    return `${marks.length === 0 ? '' : ` (${marks.join(' ')})`}${text}`;
  }

  /** Builds the tree of a document that parseDomain has accepted: bounded, well-formed and without a DOCTYPE. */
  static parse(xml: string): XmlNode {
    const parser = new SaxesParser({ xmlns: true });
    const top = new XmlNode('', '');
    const open = [top];
    parser.on('opentag', (tag) => {
      const parent = open.at(-1)!;
      const name = tag.uri === '' ? tag.local : `{${tag.uri}}${tag.local}`;
      const count = parent.#children.filter((child) => child.name === name).length + 1;
      const node = new XmlNode(name, `${parent.path}/${visible(tag.name)}${count > 1 ? `[${count}]` : ''}`);
      for (const { prefix, local, value } of Object.values(tag.attributes)) {
        if (prefix !== 'xmlns' && local !== 'xmlns')
          node.#attributes.set(prefix === '' ? local : `${prefix}:${local}`, value);
      }
      parent.#children.push(node);
      open.push(node);
    });
    parser.on('closetag', () => void open.pop());
    const addText = (text: string): void => {
      open.at(-1)!.#text += text;
    };
    parser.on('text', addText);
    parser.on('cdata', addText);
    parser.write(xml).close();
    return top.#children[0]!;
  }
}

function shown(text: string): string {
  return visible(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
