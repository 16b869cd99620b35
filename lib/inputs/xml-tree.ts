import { SaxesParser, type SaxesTagNS } from 'saxes';
import { DomainError } from '../words/errors.ts';
import { LARGEST_DOMAIN_BYTES } from './hook-call.ts';
import { visible } from './parsed.ts';

/** An element that we asked for, with the text directly inside it. Attributes are those without a namespace. */
export interface XmlElement {
  readonly name: string;
  /** "/domain/devices/hostdev[2]", for messages. */
  readonly path: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

/**
 * Which elements are wanted inside which; all others, and whatever is in them, are read over. Plain names have no
 * namespace; "{uri}name" has one.
 */
export interface XmlShape {
  readonly [name: string]: XmlShape;
}

/** libxml2 stops at this depth too. */
const DEEPEST = 256;
const MOST_ELEMENTS = 200_000;

/**
 * Reads a well-formed XML document and keeps the elements of `shape` under the root element `rootName`.
 * A DOCTYPE is refused, so there are no entities but XML's own five. Everything wrong is a DomainError.
 */
export function parseXmlTree(xml: string, rootName: string, shape: XmlShape): XmlElement {
  if (xml.length > LARGEST_DOMAIN_BYTES || Buffer.byteLength(xml) > LARGEST_DOMAIN_BYTES) {
    throw new DomainError(`${CANNOT}: it is larger than ${LARGEST_DOMAIN_BYTES / 1024 / 1024} MiB`);
  }
  const parser = new SaxesParser({ xmlns: true });
  const open: OpenElement[] = [];
  let root: OpenElement | null = null;
  let elements = 0;
  let depth = 0;
  let skippedFrom = Number.POSITIVE_INFINITY;

  parser.on('doctype', () => {
    throw new DomainError(`${CANNOT}: it has a DOCTYPE, must have none`);
  });
  parser.on('opentag', (tag) => {
    depth++;
    if (depth > DEEPEST)
      throw new DomainError(`${CANNOT}: its elements are nested more than ${DEEPEST} deep`);
    if (++elements > MOST_ELEMENTS)
      throw new DomainError(`${CANNOT}: it has more than ${MOST_ELEMENTS} elements`);
    if (depth >= skippedFrom) return;
    const parent = open.at(-1);
    if (parent === undefined) {
      if (tag.name !== rootName || tag.uri !== '') throw wrongRoot(tag, rootName);
      root = openElement(tag, `/${rootName}`, shape);
      open.push(root);
      return;
    }
    const name = tag.uri === '' ? tag.local : `{${tag.uri}}${tag.local}`;
    const inner = Object.hasOwn(parent.shape, name) ? parent.shape[name]! : null;
    if (inner === null) {
      skippedFrom = depth;
      return;
    }
    const count = (parent.counts.get(name) ?? 0) + 1;
    parent.counts.set(name, count);
    const element = openElement(tag, `${parent.path}/${tag.local}${count > 1 ? `[${count}]` : ''}`, inner);
    parent.children.push(element);
    open.push(element);
  });
  parser.on('closetag', () => {
    if (depth < skippedFrom) open.pop();
    else if (depth === skippedFrom) skippedFrom = Number.POSITIVE_INFINITY;
    depth--;
  });
  const addText = (text: string): void => {
    const element = open.at(-1);
    if (element !== undefined && depth < skippedFrom) element.text += text;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);

  try {
    parser.write(xml).close();
  } catch (error) {
    if (error instanceof DomainError) throw error;
    throw notWellFormed(error);
  }
  if (root === null) throw new DomainError(`${CANNOT}: it is empty`);
  return root;
}

const CANNOT = 'Cannot read the domain XML';

/** saxes says "3:14: unclosed tag: a." */
function notWellFormed(error: unknown): DomainError {
  const said = error instanceof Error ? error.message : String(error);
  const where = said.replace(/^(\d+):(\d+): /, 'line $1, column $2: ').replace(/\.$/, '');
  const hint = 'The text may be cut; virsh dumpxml GUEST writes a whole one';
  return new DomainError(`${CANNOT}: it is not well-formed (${visible(where.slice(0, 200))})`, hint);
}

interface OpenElement extends XmlElement {
  readonly children: XmlElement[];
  readonly shape: XmlShape;
  readonly counts: Map<string, number>;
  text: string;
}

function openElement(tag: SaxesTagNS, path: string, shape: XmlShape): OpenElement {
  const attributes = new Map<string, string>();
  for (const { prefix, local, value } of Object.values(tag.attributes))
    if (prefix === '') attributes.set(local, value);
  return { name: tag.local, path, attributes, children: [], text: '', shape, counts: new Map() };
}

function wrongRoot(tag: SaxesTagNS, rootName: string): DomainError {
  const hint = 'Give it what virsh dumpxml GUEST writes';
  const uri = tag.uri === '' ? '' : ' of a namespace';
  return new DomainError(
    `${CANNOT}: its root is <${visible(tag.name.slice(0, 60))}>${uri}, must be <${rootName}>`,
    hint,
  );
}
