import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDomain } from '../../../lib/inputs/domain-xml.ts';
import { DomainError } from '../../../lib/words/errors.ts';
import { grammarDomain } from './domain-grammar.ts';

test('parseDomain() reads all that a random domain says of the host, and nothing that it does not say', () => {
  fc.assert(
    fc.property(grammarDomain, ({ xml, expected }) => {
      const { metadata, ...domain } = parseDomain(xml);
      assert.deepEqual(domain, expected);
      assert.equal(metadata.size, 0);
    }),
    { numRuns: 1000 },
  );
});

test('parseDomain() of a random domain with a piece cut out, doubled or overwritten ends in a domain or a DomainError', () => {
  const place = fc.tuple(fc.nat(), fc.nat(300), fc.nat(), fc.constantFrom('cut', 'double', 'move', 'soup'));
  const mangled = fc
    .tuple(grammarDomain, fc.array(place, { minLength: 1, maxLength: 3 }))
    .map(([{ xml }, places]) =>
      places.reduce((text, [from, length, to, how]) => {
        const at = from % (text.length + 1);
        const piece = text.slice(at, at + length);
        const rest = text.slice(0, at) + text.slice(at + length);
        const put = to % (rest.length + 1);
        if (how === 'cut') return rest;
        if (how === 'double') return text.slice(0, at) + piece + text.slice(at);
        if (how === 'move') return rest.slice(0, put) + piece + rest.slice(put);
        return rest.slice(0, at) + piece.replace(/[0-9]/g, '\u0660').replaceAll('=', '&') + rest.slice(at);
      }, xml),
    );
  fc.assert(
    fc.property(mangled, (xml) => {
      try {
        const { functions, usb, mediatedDevices } = parseDomain(xml);
        // Each device stands for an element of its own in the text
        const elements = xml.match(/<(?:hostdev|interface|disk|backingStore)[\s>/]/g)?.length ?? 0;
        assert.ok(functions.length + usb.length + mediatedDevices.length <= elements);
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        assert.doesNotMatch(error.message, /[\0-\x1f\x7f]/);
        assert.ok(error.message.length < 1000);
      }
    }),
    { numRuns: 1500 },
  );
});
