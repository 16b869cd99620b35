import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { XmlNode } from '../../../../lib/convert/libvirt/xml-node.ts';
import { formatXml, xml } from '../../../../lib/convert/libvirt/xml-writer.ts';

test('formatXml() writes elements as libvirt does', () => {
  const domain = xml('domain', { type: 'kvm', id: null }, [
    xml('name', {}, 'a & <b>'),
    null,
    xml('devices', {}, [xml('disk', { device: "it's" })]),
  ]);
  assert.equal(
    formatXml(domain),
    "<domain type='kvm'>\n  <name>a &amp; &lt;b&gt;</name>\n  <devices>\n    <disk device='it&apos;s'/>\n  </devices>\n</domain>\n",
  );
});

test('formatXml() writes texts and attributes so that they are read back as they are', () => {
  const text = fc.string({ unit: fc.constantFrom(...'<>&"\'];\t\n ax=/-ü漢') });
  fc.assert(
    fc.property(text, text, (inside, value) => {
      const root = XmlNode.parse(formatXml(xml('a', { b: value }, [xml('c', {}, inside)])));
      assert.equal(root.attribute('b'), value);
      assert.equal(root.one('c')?.text(), inside.trim());
    }),
  );
});
