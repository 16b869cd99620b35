import { METADATA_NAMESPACE } from '../../inputs/domain-xml.ts';
import { isSection, PROFILE_SECTIONS } from '../../inputs/profile-keys.ts';
import { RUN_CPU_KEYS } from '../../inputs/run-sections.ts';
import type { Reading, Writing } from './parts.ts';
import { type XmlElement, xml } from './xml-writer.ts';

/** All sections of the host's side but commands. */
const SECTIONS = Object.keys(PROFILE_SECTIONS).filter((section) => section !== 'commands');

/** What the hook does for the guest has no place in libvirt's own words: it goes into our part of <metadata>, where the hook reads it. */
export function writeHostKeys({ source, dropList }: Writing): XmlElement | null {
  const keys = SECTIONS.flatMap((section) =>
    source
      .keys(section)
      .filter((key) => section !== 'cpu' || !RUN_CPU_KEYS.includes(key))
      .map((name) => xml('passqemu:key', { section, name }, source.said(section, name)!)),
  );
  for (const key of source.keys('commands')) {
    source.said('commands', key);
    dropList.add(
      `[commands] ${key}`,
      'commands run as root, so the hook takes them from the profile only: keep it beside the domain',
    );
  }
  return keys.length === 0 ? null : xml('passqemu:profile', { 'xmlns:passqemu': METADATA_NAMESPACE }, keys);
}

/** Reads them back, before all else: what they say goes before what can be guessed from libvirt's words. */
export function readHostKeys({ root, domain, draft, dropList }: Reading): void {
  for (const [name, value] of domain.metadata) {
    const dot = name.indexOf('.');
    const section = name.slice(0, dot);
    if (isSection(section)) draft.set(section, name.slice(dot + 1), value);
    else dropList.add(`/domain/metadata/passqemu:profile, ${name}`, 'no such section');
  }
  for (const profile of root.one('metadata')?.all(`{${METADATA_NAMESPACE}}profile`) ?? []) profile.settle();
}
