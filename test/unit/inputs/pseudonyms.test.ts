import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePseudonyms, parseNames } from '../../../lib/inputs/pseudonyms.ts';

const TEXTS = [
  'link/ether 52:54:00:AA:00:02 brd ff:ff:ff:ff:ff:ff',
  'enx525400aa0001 is 52:54:00:aa:00:01, lo is 00:00:00:00:00:00',
  'root=UUID=4DEA22B3-1d52-d8f3-2516-782e98ab3fa0',
  '/dev/disk/by-id/nvme-Disk_S5GXNX0R123456-part1',
  'anna@kiste: /home/anna on kiste--vg-home, annabel, myKISTE2',
];
const replace = makePseudonyms(
  { serials: ['S5GXNX0R123456', '0', 'None'], hosts: ['kiste'], users: ['anna', 'al'] },
  TEXTS,
);

test('makePseudonyms() gives the same value the same name everywhere', () => {
  assert.deepEqual(
    TEXTS.map((text) => replace(text, true)),
    [
      'link/ether 02:00:00:00:00:02 brd ff:ff:ff:ff:ff:ff',
      'enx020000000001 is 02:00:00:00:00:01, lo is 00:00:00:00:00:00',
      'root=UUID=00000000-0000-4000-8000-000000000001',
      '/dev/disk/by-id/nvme-Disk_SERIAL1-part1',
      'user1@host1: /home/user1 on host1--vg-home, annabel, myKISTE2',
    ],
  );
  assert.deepEqual(
    [...TEXTS]
      .reverse()
      .map((text) =>
        makePseudonyms({ serials: [], hosts: [], users: [] }, [...TEXTS].reverse())(text, false),
      )[3],
    'enx020000000001 is 02:00:00:00:00:01, lo is 00:00:00:00:00:00',
  );
});

test('makePseudonyms() leaves words of the system alone where names are not looked for, and names that are nobody’s', () => {
  assert.equal(replace('anna', false), 'anna');
  const debian = makePseudonyms({ serials: [], hosts: ['debian', 'localhost'], users: ['user'] }, []);
  assert.equal(debian('debian localhost user', true), 'debian localhost user');
});

test('parseNames() takes people, not services, and the short name of the host', () => {
  const passwd =
    'root:x:0:0::/root:/bin/sh\nanna:x:1000:1000::/home/anna:/bin/sh\nnobody:x:65534:65534::/:/bin/false\nbad';
  assert.deepEqual(parseNames('kiste.example.org\n', passwd), {
    users: ['anna'],
    hosts: ['kiste.example.org', 'kiste'],
  });
});
