import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDomain } from '../../../lib/inputs/domain-xml.ts';
import { DomainError } from '../../../lib/words/errors.ts';
import { readSample } from './samples.ts';

/** A piece of XML and the addresses that it gives to the guest where it stands directly in <devices>. */
interface Piece {
  readonly xml: string;
  readonly gives: readonly string[];
}

const hex = (value: number, width: number) => value.toString(16).padStart(width, '0');
const numeral = (value: number) =>
  fc.constantFrom(`0x${hex(value, 2)}`, `${value}`, `0x${value.toString(16).toUpperCase()}`);

const address: fc.Arbitrary<{ xml: string; address: string }> = fc
  .tuple(fc.nat(0x1ffff), fc.nat(0xff), fc.nat(0x1f), fc.nat(7))
  .chain(([domain, bus, slot, fn]) =>
    fc.tuple(numeral(domain), numeral(bus), numeral(slot), numeral(fn)).map(([d, b, s, f]) => ({
      xml: `<address domain="${d}" bus='${b}' slot="${s}" function="${f}"/>`,
      address: `${hex(domain, 4)}:${hex(bus, 2)}:${hex(slot, 2)}.${fn}`,
    })),
  );

const managed = fc.constantFrom('', ' managed="yes"', " managed='no'");
const noise = fc.constantFrom('', '\n  ', '<!-- <hostdev/> -->', '<alias name="x"/>', '<?pi <hostdev?>');
const guestSide = address.map(({ xml }) => xml.replace('<address', '<address type="pci"'));

const hostdev: fc.Arbitrary<Piece> = fc
  .tuple(address, managed, guestSide, noise)
  .map(([at, how, guest, more]) => ({
    xml: `<hostdev mode="subsystem" type='pci'${how}>${more}<source>${at.xml}</source>${guest}</hostdev>`,
    gives: [at.address],
  }));
const card: fc.Arbitrary<Piece> = fc.tuple(address, managed, guestSide).map(([at, how, guest]) => ({
  xml: `<interface type="hostdev"${how}>${guest}<source>${at.xml.replace('<address', '<address type="pci"')}</source></interface>`,
  gives: [at.address],
}));
const disk: fc.Arbitrary<Piece> = fc
  .tuple(address, managed, guestSide, noise)
  .map(([at, how, guest, more]) => ({
    xml: `<disk type="nvme">${more}<source type="pci"${how} namespace="1">${at.xml}</source>${guest}</disk>`,
    gives: [at.address],
  }));
const given = fc.oneof(hostdev, card, disk);

/** What looks like a device and is none: elsewhere in the document, in a comment, or of another type. */
const decoy: fc.Arbitrary<string> = fc
  .tuple(given, guestSide)
  .chain(([{ xml }, guest]) =>
    fc.constantFrom(
      `<!-- ${xml.replaceAll('--', '')} -->`,
      `<![CDATA[${xml}]]>`,
      `<controller type="pci">${xml}${guest}</controller>`,
      `<x:hostdev xmlns:x="urn:x" type="pci">${xml}</x:hostdev>`,
      `<disk type="file"><source file="a">${guest}</source><mirror>${xml}</mirror></disk>`,
      `<interface type="network"><source>${guest}</source></interface>`,
      `<hostdev mode="subsystem" type="scsi"><source>${guest}</source></hostdev>`,
      `<hostdev mode="capabilities" type="pci"><source>${guest}</source></hostdev>`,
    ),
  );
const elsewhere: fc.Arbitrary<string> = given.chain(({ xml }) =>
  fc.constantFrom(
    xml,
    `<metadata><a:b xmlns:a="urn:a">${xml}<devices>${xml}</devices></a:b>${xml}<devices>${xml}</devices></metadata>`,
    `<q:commandline xmlns:q="urn:q"><q:arg value="-device"/>${xml}</q:commandline>`,
    `<cpu>${xml}<devices>${xml}</devices></cpu>`,
    `<os><domain><devices>${xml}</devices></domain></os>`,
  ),
);

test('parseDomain() yields the devices of a random domain, all of them and no others', () => {
  const inDevices = fc.array(
    fc.oneof(
      given,
      decoy.map((xml): Piece => ({ xml, gives: [] })),
    ),
    { maxLength: 8 },
  );
  const around = fc.uniqueArray(elsewhere, { maxLength: 3, selector: (xml) => xml.slice(0, 4) });
  fc.assert(
    fc.property(around, inDevices, fc.nat(3), (others, pieces, at) => {
      const devices = `<devices>${pieces.map(({ xml }) => xml).join('\n')}</devices>`;
      const parts = [...others.slice(0, at), devices, ...others.slice(at)];
      const domain = parseDomain(`<domain><name>g</name>${parts.join('')}</domain>`);
      const found = domain.functions.map((given) => given.address as string);
      assert.deepEqual(
        found,
        pieces.flatMap(({ gives }) => gives),
      );
    }),
    { numRuns: 1000 },
  );
});

test('parseDomain() ends in a domain or a DomainError whatever the text', () => {
  const sample = readSample('gaming');
  const names = [
    'domain',
    'name',
    'devices',
    'hostdev',
    'source',
    'address',
    'cputune',
    'vcpupin',
    'numa',
    'cell',
    'x:y',
  ];
  const soup = fc
    .array(
      fc.oneof(
        fc.constantFrom(...names).map((name) => `<${name} type="pci" bus="0x" cpuset="^" xmlns:x="u">`),
        fc.constantFrom(...names).map((name) => `</${name}>`),
        fc.constantFrom('<![CDATA[', ']]>', '<!--', '-->', '&#0;', '&x;', '<?xml?>', '<!DOCTYPE x>'),
        fc.string({ unit: 'binary', maxLength: 8 }),
      ),
    )
    .map((parts) => `<domain><name>g</name>${parts.join('')}`);
  const mutated = fc
    .tuple(fc.nat(sample.length), fc.nat(200), fc.string({ unit: 'binary', maxLength: 20 }))
    .map(([at, length, text]) => sample.slice(0, at) + text + sample.slice(at + length));
  fc.assert(
    fc.property(fc.oneof(soup, mutated, fc.string({ unit: 'binary' })), (xml) => {
      try {
        parseDomain(xml);
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        assert.doesNotMatch(error.message, /[\0-\x1f\x7f]/);
      }
    }),
    { numRuns: 1500 },
  );
});

test('parseDomain() reads no address that the text does not hold', () => {
  const sample = readSample('numa');
  const addresses = new Set(parseDomain(sample).functions.map(({ address }) => address));
  fc.assert(
    fc.property(fc.nat(sample.length), fc.nat(400), (at, length) => {
      try {
        const { functions } = parseDomain(sample.slice(0, at) + sample.slice(at + length));
        // A cut inside a numeral makes another number, one from device to device another device: only whole elements are compared
        const cut = sample.slice(at, at + length);
        if (/<(?:hostdev|interface|disk)\b/.test(cut)) return;
        if (/^[\s>]/.test(sample.slice(at - 1, at)) && sample[at + length] === '<') {
          assert.ok(functions.every(({ address }) => addresses.has(address)));
        }
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
});
