import assert from 'node:assert/strict';
import { test } from 'node:test';
import { XmlNode } from '../../../../lib/convert/libvirt/xml-node.ts';

const XML = `<domain type="kvm" xmlns:q="urn:q">
  <name> g </name>
  <os><boot dev="hd"/><boot dev="cdrom"/></os>
  <devices><sound model="ich9"><codec type="duplex"/></sound><disk type="file" device="disk"/></devices>
  <q:commandline><q:arg value="-s"/></q:commandline>
</domain>`;

test('XmlNode.unread() tells all that nobody has read, an untouched element as a whole', () => {
  assert.deepEqual(XmlNode.parse(XML).unread(), ['/domain (type=kvm)']);
  const root = XmlNode.parse(XML);
  assert.equal(root.one('name')?.text(), 'g');
  assert.equal(root.one('os')?.all('boot')[1]?.attribute('dev'), 'cdrom');
  assert.equal(root.one('devices')?.one('disk')?.attribute('type'), 'file');
  assert.deepEqual(root.unread(), [
    '/domain/@type=kvm',
    '/domain/os/boot/@dev=hd',
    '/domain/devices/sound (model=ich9)',
    '/domain/devices/disk/@device=disk',
    '/domain/q:commandline',
  ]);
});

test('XmlNode.settle() makes an element read with all that is in it', () => {
  const root = XmlNode.parse(XML);
  root.settle();
  assert.deepEqual(root.unread(), []);
});

test('XmlNode.parse() tells elements of a namespace from others', () => {
  const root = XmlNode.parse(
    '<domain><x:name xmlns:x="urn:x">a</x:name><name>b</name><a><![CDATA[<c/>]]>d</a></domain>',
  );
  assert.equal(root.one('name')?.text(), 'b');
  assert.equal(root.one('{urn:x}name')?.text(), 'a');
  assert.equal(root.one('a')?.text(), '<c/>d');
  assert.deepEqual(root.unread(), []);
});

test('XmlNode.unread() tells long and odd values in one short line', () => {
  const [line = ''] = XmlNode.parse(`<domain><a b="x&#10;y${'z'.repeat(200)}"/></domain>`).unread();
  assert.equal(line, `/domain`);
  const root = XmlNode.parse(`<domain><a b="x&#10;y${'z'.repeat(200)}"/></domain>`);
  root.all('b');
  assert.deepEqual(root.unread(), [`/domain/a (b=x y${'z'.repeat(57)}…)`]);
});
