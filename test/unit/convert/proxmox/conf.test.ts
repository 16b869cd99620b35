import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DropList } from '../../../../lib/convert/dropped.ts';
import { ProxmoxConf } from '../../../../lib/convert/proxmox/conf.ts';
import { DomainError } from '../../../../lib/words/errors.ts';

const CONF = `#Spiele%3A Windows 11
#100%
agent: 1
hostpci1: 0000:02:00
hostpci0: 0000:01:00,pcie=1,x-vga=on,romfile=card.rom
memory: 16384

[PENDING]
memory: 8192

[before-update]
memory: 4096
`;

test('ProxmoxConf reads keys, numbered ones in order, and drops snapshots and pending changes as a whole', () => {
  const dropList = new DropList();
  const conf = new ProxmoxConf(CONF, dropList);
  assert.deepEqual(conf.description, ['Spiele: Windows 11', '100%']);
  assert.equal(conf.take('memory'), '16384');
  assert.equal(conf.take('memory'), null);
  const [first, second] = conf.takeNumbered('hostpci', 'host');
  assert.deepEqual([first?.number, second?.number], [0, 1]);
  assert.deepEqual([first?.take('host'), second?.take('host')], ['0000:01:00', '0000:02:00']);
  assert.deepEqual([first?.takeSwitch('pcie', false), first?.takeSwitch('x-vga', false)], [true, true]);
  first?.dropRest((name) => `no word for ${name}`);
  conf.dropRest((key) => `no word for ${key}`);
  assert.deepEqual(dropList.all, [
    { what: '[PENDING]', why: 'these changes wait for the next start' },
    {
      what: '[before-update]',
      why: 'a snapshot or other section, not the machine as it is now',
    },
    { what: 'hostpci0, romfile=card.rom', why: 'no word for romfile' },
    { what: 'agent: 1', why: 'no word for agent' },
  ]);
});

test('ProxmoxConf refuses what is no configuration, in one sentence', () => {
  const cases: readonly [string, RegExp][] = [
    ['', /it has no "key: value" line$/],
    ['<domain/>', /line 1 is "<domain\/>", must be like "memory: 8192"$/],
    ['memory: 1\nmemory: 2', /line 2, memory is there a second time, must be there once$/],
    ['memory: 1\u202e', /line 1 is/],
    ['a: 1\n'.repeat(400_000), /larger than 1 MiB$/],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => new ProxmoxConf(text, new DropList()),
      (error) => error instanceof DomainError && message.test(error.message),
    );
  }
  const properties = () => new ProxmoxConf('net0: a=1,a=2', new DropList()).takeProperties('net0', 'model');
  assert.throws(properties, /net0 has "a" a second time/);
  const conf = new ProxmoxConf('net0: x,firewall=maybe', new DropList()).takeProperties('net0', 'model');
  assert.throws(() => conf?.takeSwitch('firewall', false), /firewall="maybe", must be 1 or 0/);
});

test('ProxmoxConf ends in keys or a DomainError whatever the text', () => {
  const line = fc.oneof(
    fc.constantFrom('memory: 1', '[x]', '# a', 'net0: x,y=1', '%', 'a:', ':', 'a: %zz'),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
      try {
        const conf = new ProxmoxConf(lines.join('\n'), new DropList());
        conf.takeNumbered('net', 'model');
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        assert.doesNotMatch(error.message, /[\0-\x1f\x7f]/);
      }
    }),
    { numRuns: 500 },
  );
});
