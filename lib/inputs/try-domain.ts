import { DomainError } from '../words/errors.ts';
import type { Domain } from './domain.ts';
import { parseDomain } from './domain-xml.ts';

/** The domain, or null where the text is none: for operations that must go on without it. */
export function tryParseDomain(xml: string): Domain | null {
  try {
    return parseDomain(xml);
  } catch (error) {
    if (error instanceof DomainError) return null;
    throw error;
  }
}
