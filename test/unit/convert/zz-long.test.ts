import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Dropped } from '../../../lib/convert/dropped.ts';
import { exportDomain } from '../../../lib/convert/libvirt/export.ts';
import { importDomain } from '../../../lib/convert/libvirt/import.ts';
import { defaultOf, ProfileSource } from '../../../lib/convert/profile-source.ts';
import { exportProxmox } from '../../../lib/convert/proxmox/export.ts';
import { importProxmox } from '../../../lib/convert/proxmox/import.ts';
import { INSTALLER_STORAGES } from '../../../lib/convert/proxmox/storage.ts';
import { vcpuCountOf } from '../../../lib/convert/vcpu-count.ts';
import { type ProfileEntry, parseProfileText } from '../../../lib/inputs/profile-text.ts';
import { formatProfileValue } from '../../../lib/inputs/profile-writer.ts';
import { parseProfile } from '../../../lib/inputs/read-profile.ts';
import { ProfileError } from '../../../lib/words/errors.ts';
import { grammarDomain } from '../inputs/domain-grammar.ts';
import { type AnyProfile, anyProfile, PLACES } from './any-profile.ts';
import { linesOf, NO_HOST, USUAL_UUID } from './samples.ts';

const at = { guest: 'g', path: '/g.ini', uuid: USUAL_UUID };
const PROXMOX = { storages: INSTALLER_STORAGES, storage: 'local-lvm', fallbackName: 'g' };

/** The other form, as one text, and the profile that it makes. */
interface RoundTrip {
  readonly form: string;
  readonly profile: string;
  readonly dropped: readonly Dropped[];
}

function throughLibvirt({ text, functions }: AnyProfile): RoundTrip {
  const out = exportDomain({ ...at, text, functions });
  const back = importDomain(out.xml, NO_HOST);
  return { form: out.xml, profile: back.profile, dropped: [...out.dropped, ...back.dropped] };
}

function throughProxmox({ text, functions }: AnyProfile): RoundTrip {
  const out = exportProxmox({ ...at, text, functions }, PROXMOX);
  const form = [...out.options].map(([key, value]) => `${key}: ${value}\n`).join('');
  const kindOf = (address: string) => [...PLACES].find(([, at]) => at === address)?.[0] ?? 'device';
  const host = {
    ...NO_HOST,
    about: (address: string) => ({ kind: kindOf(address), identity: null, comment: '' }),
    functionsOf: (slot: string) => [...functions.values()].filter((one) => one.startsWith(slot)),
  };
  const back = importProxmox(form, host, PROXMOX);
  return { form, profile: back.profile, dropped: [...out.dropped, ...back.dropped] };
}

for (const [name, through] of [
  ['libvirt', throughLibvirt],
  ['Proxmox', throughProxmox],
] as const) {
  test(`a profile that comes back from ${name} goes there and back again unchanged, whatever it says`, () => {
    fc.assert(
      fc.property(anyProfile, (one) => {
        const first = through(one).profile;
        const again = through({ ...one, text: first, functions: functionsIn(first) }).profile;
        assert.deepEqual(linesOf(again), linesOf(first));
      }),
      { numRuns: 4000 },
    );
  });
}

test('each key of a profile comes back from libvirt, or is the usual value, or is listed as dropped', () => {
  fc.assert(
    fc.property(anyProfile, (one) => {
      const there = throughLibvirt(one);
      const now = parseProfileText(there.profile).entries;
      const lost = [...parseProfileText(one.text).entries.values()].filter((entry) => {
        const { section, key, value } = entry;
        const isBack = now.get(`${section}.${key}`)?.value === value;
        return !isBack && !isTold(entry, there.dropped) && !isUsual(entry, one, there);
      });
      assert.deepEqual(lost, []);
    }),
    { numRuns: 20000 },
  );
});

function functionsIn(profile: string): AnyProfile['functions'] {
  const entries = [...parseProfileText(profile).entries.values()].filter(
    ({ section }) => section === 'devices',
  );
  return new Map(entries.map(({ key, value }) => [key, value])) as unknown as AnyProfile['functions'];
}

function isTold({ section, key }: ProfileEntry, dropped: readonly Dropped[]): boolean {
  return dropped.some(
    ({ what }) => what === `[${section}]` || (what.startsWith(`[${section}] `) && what.includes(key)),
  );
}

/** Keys whose usual value depends on others. */
const COMPUTED =
  /^(machine\.(rtc|hyperv|cpu|prealloc)|disk\.(type|bus|format|aio|cache|read-only)|display\.video|input\.(type|bus|grab-all|repeat)|device\.with|firmware\.(format|enrolled-keys))$/;

/** The default, or what the other form is the same without. */
function isUsual(
  { section, key, value }: ProfileEntry,
  { text, functions }: AnyProfile,
  { form, profile: after }: RoundTrip,
): boolean {
  if (value === defaultOf(section, key)) return true;
  if (section === 'machine' && ['sockets', 'dies', 'threads'].includes(key)) return value === '1';
  if (section.startsWith('device ') && key === 'function')
    return value === '0' || functions.get(section.slice('device '.length))?.endsWith(`.${value}`) === true;
  if (section === 'machine' && key === 'vcpus')
    return vcpuCountOf(new ProfileSource(after)) === Number(value);
  if (!COMPUTED.test(`${section.split(' ')[0]}.${key}`)) return false;
  const line = `${key} = ${formatProfileValue(value!)}`;
  const blocks = text
    .split('\n\n')
    .map((block) => (block.startsWith(`[${section}]`) ? block.replace(`\n${line}`, '') : block));
  try {
    return exportDomain({ ...at, text: blocks.join('\n\n'), functions }).xml === form;
  } catch (error) {
    // Another key cannot stand without this one: then it is told of that one
    if (error instanceof ProfileError) return true;
    throw error;
  }
}

test('importDomain() of a random domain gives its devices and no others, and never ends in anything but a profile or a DomainError', () => {
  fc.assert(
    fc.property(grammarDomain, ({ xml, expected }) => {
      const { profile } = importDomain(xml, NO_HOST);
      const { devices } = parseProfile(profile, at);
      const found = devices.requests.map(({ selector }) =>
        selector.by === 'address' ? selector.address : null,
      );
      assert.deepEqual(new Set(found), new Set(expected.functions.map(({ address }) => address)));
    }),
    { numRuns: 200 },
  );
});
