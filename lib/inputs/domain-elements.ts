import type { CpuSet } from '../words/cpu-list.ts';
import { DomainError } from '../words/errors.ts';
import { parseLibvirtMemoryKib, parseLibvirtSet } from './domain-values.ts';
import { quoted } from './parsed.ts';
import type { XmlElement } from './xml-tree.ts';

/** The one element of that name directly inside another, or null. Of a second, libvirt would read parts: refused. */
export function child(element: XmlElement | null, name: string): XmlElement | null {
  const [only = null, second] = childrenOf(element, name);
  return second === undefined ? only : elementAgain(second);
}

/** All elements of that name directly inside another. */
export function childrenOf(element: XmlElement | null, name: string): readonly XmlElement[] {
  return element?.children.filter((inner) => inner.name === name) ?? [];
}

/** A decimal number: the attribute's, or the given text's where `attribute` is null. */
export function amount(element: XmlElement, attribute: string | null, text?: string): number {
  const digits = (text ?? element.attributes.get(attribute ?? '') ?? '').trim();
  return /^\d{1,9}$/.test(digits)
    ? Number(digits)
    : elementProblem(element, attribute, digits, 'a whole number');
}

/** A set of CPUs or nodes in an attribute. */
export function setOf(element: XmlElement, attribute: string): CpuSet {
  const text = element.attributes.get(attribute) ?? '';
  return parseLibvirtSet(text) ?? elementProblem(element, attribute, text, 'a set such as 1-4,^3,6');
}

/** An amount of memory in KiB. */
export function kibOf(
  element: XmlElement,
  text: string,
  unit: string | null,
  attribute: string | null = null,
): number {
  const kib = parseLibvirtMemoryKib(text, unit);
  if (kib !== null) return kib;
  return elementProblem(element, attribute, unit === null ? text : `${text} ${unit}`, 'an amount of memory');
}

/** managed='', absent as libvirt has it: no. */
export function isManaged(element: XmlElement): boolean {
  const text = element.attributes.get('managed') ?? 'no';
  if (text !== 'yes' && text !== 'no') elementProblem(element, 'managed', text, 'yes or no');
  return text === 'yes';
}

/** Throws that the text of an element, or of an attribute of it, is not what it must be. */
export function elementProblem(
  element: XmlElement,
  attribute: string | null,
  text: string,
  mustBe: string,
): never {
  throw placeError(element, attribute, `is ${quoted(text.trim())}, must be ${mustBe}`);
}

/** Throws that an element lacks what it must have. */
export function elementLacks(element: XmlElement, what: string): never {
  throw placeError(element, null, `has no ${what}, must have one`);
}

/** Throws that something is said a second time. */
export function elementAgain(element: XmlElement, attribute: string | null = null): never {
  throw placeError(element, attribute, 'is there a second time, must be there once');
}

function placeError(element: XmlElement, attribute: string | null, predicate: string): DomainError {
  const place = attribute === null ? element.path : `${element.path}/@${attribute}`;
  return new DomainError(`Cannot read the domain XML: ${place} ${predicate}`);
}
