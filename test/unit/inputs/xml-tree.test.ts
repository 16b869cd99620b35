import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDomain } from '../../../lib/inputs/domain-xml.ts';
import { LARGEST_DOMAIN_BYTES } from '../../../lib/inputs/hook-call.ts';
import { parseXmlTree } from '../../../lib/inputs/xml-tree.ts';
import { DomainError } from '../../../lib/words/errors.ts';
import { readSample } from './samples.ts';

const CANNOT = 'Cannot read the domain XML: ';

test('parseXmlTree() keeps the elements of the shape with their paths, and no others', () => {
  const xml =
    '<r a="1"><x>one<y/>two</x><z><x>no</x></z><x b="2" p:c="3" xmlns:p="u"/><p:x xmlns:p="u">own</p:x></r>';
  const leaf = { children: [], attributes: new Map<string, string>(), text: '' };
  const root = parseXmlTree(xml, 'r', { x: {}, '{u}x': {} });
  const plain = ({ name, path, attributes, children, text }: typeof root): unknown => {
    return { name, path, attributes, text, children: children.map(plain) };
  };
  assert.deepEqual(plain(root), {
    name: 'r',
    path: '/r',
    attributes: new Map([['a', '1']]),
    text: '',
    children: [
      { ...leaf, name: 'x', path: '/r/x', text: 'onetwo' },
      { ...leaf, name: 'x', path: '/r/x[2]', attributes: new Map([['b', '2']]) },
      { ...leaf, name: 'x', path: '/r/x', text: 'own' },
    ],
  });
});

test('parseXmlTree() takes no inherited property for a part of the shape', () => {
  const root = parseXmlTree('<r><toString/><constructor/><__proto__/></r>', 'r', {});
  assert.deepEqual(root.children, []);
});

const DTD = '<!DOCTYPE domain [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">';
const REFUSED: readonly [string, string, RegExp | string][] = [
  ['a DOCTYPE', '<!DOCTYPE domain><domain/>', `${CANNOT}it has a DOCTYPE, must have none`],
  [
    'a billion laughs',
    `${DTD}]><domain><name>&b;</name></domain>`,
    `${CANNOT}it has a DOCTYPE, must have none`,
  ],
  ['a file as an entity', '<!DOCTYPE d [<!ENTITY f SYSTEM "file:///etc/passwd">]><domain/>', /has a DOCTYPE/],
  [
    'an unknown entity',
    '<domain><name>&a;</name></domain>',
    `${CANNOT}it is not well-formed (line 1, column 17: undefined entity)`,
  ],
  [
    'a status file of libvirt',
    '<domstatus><domain/></domstatus>',
    `${CANNOT}its root is <domstatus>, must be <domain>`,
  ],
  ['a snapshot', '<domainsnapshot/>', `${CANNOT}its root is <domainsnapshot>, must be <domain>`],
  [
    'a domain of a namespace',
    '<domain xmlns="u"/>',
    `${CANNOT}its root is <domain> of a namespace, must be <domain>`,
  ],
  ['two roots', '<domain/><domain/>', /not well-formed/],
  ['text after the end', '<domain/>x', /not well-formed/],
  ['nothing', '', /not well-formed/],
  ['only a comment', '<!-- -->', /not well-formed/],
  ['a doubled attribute', '<domain type="a" type="b"/>', /not well-formed/],
  ['a prefix of no namespace', '<domain><x:a/></domain>', /not well-formed/],
  ['a NUL', '<domain>\0</domain>', /not well-formed/],
  ['tags that cross', '<domain><a><b></a></b></domain>', /not well-formed/],
  ['257 levels', `<domain>${'<a>'.repeat(256)}`, `${CANNOT}its elements are nested more than 256 deep`],
  ['too many elements', `<domain>${'<a/>'.repeat(200_000)}`, `${CANNOT}it has more than 200000 elements`],
  ['10 MiB', `<domain>${' '.repeat(10 * 1024 * 1024)}</domain>`, `${CANNOT}it is larger than 8 MiB`],
  ['8 MiB of long signs', '🙂'.repeat(LARGEST_DOMAIN_BYTES / 4 + 1), `${CANNOT}it is larger than 8 MiB`],
];
for (const [what, xml, message] of REFUSED) {
  test(`parseXmlTree() refuses ${what}`, () => {
    assert.throws(() => parseXmlTree(xml, 'domain', {}), { name: 'DomainError', message });
  });
}

test('parseXmlTree() takes 256 levels', () => {
  const xml = `<domain>${'<a>'.repeat(255)}${'</a>'.repeat(255)}</domain>`;
  assert.deepEqual(parseXmlTree(xml, 'domain', {}).children, []);
});

test('parseXmlTree() refuses a sample that is cut anywhere, and shows where', () => {
  const bytes = Buffer.from(readSample('gaming'));
  const end = bytes.lastIndexOf('</domain>') + '</domain>'.length;
  for (let length = 0; length < end; length++) {
    const cut = bytes.subarray(0, length).toString('utf8');
    assert.throws(() => parseDomain(cut), DomainError, `cut to ${length} of ${end} bytes`);
  }
  assert.equal(parseDomain(bytes.subarray(0, end).toString('utf8')).functions.length, 2);
});

const SLOW: readonly [string, (size: number) => string][] = [
  [
    'attributes',
    (size) => `<domain ${Array.from({ length: size / 16 }, (_, at) => `a${at}="1"`).join(' ')}/>`,
  ],
  ['text', (size) => `<domain><name>${'&amp;'.repeat(size / 5)}</name></domain>`],
  ['comments', (size) => `<domain>${'<!---->'.repeat(size / 7)}</domain>`],
  ['namespaces', (size) => `<domain>${'<a xmlns:b="c">'.repeat(200)}${'<b:d/>'.repeat(size / 50)}`],
  ['doctype', (size) => `<!DOCTYPE ${'['.repeat(size)}`],
  ['a comment sign', (size) => `<domain>${'<!--'.repeat(size / 4)}`],
];
for (const [what, make] of SLOW) {
  test(`parseXmlTree() does not grow slow over much of ${what}`, () => {
    const xml = make(4 * 1024 * 1024);
    const start = performance.now();
    try {
      parseXmlTree(xml, 'domain', { name: {} });
    } catch (error) {
      assert.ok(error instanceof DomainError, String(error));
    }
    assert.ok(performance.now() - start < 10_000, `${Math.round(performance.now() - start)} ms`);
  });
}
