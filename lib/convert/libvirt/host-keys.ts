import { METADATA_NAMESPACE } from '../../inputs/domain-xml.ts';
import { PROFILE_ONLY } from '../../inputs/merge-metadata.ts';
import { isSection, PROFILE_SECTIONS } from '../../inputs/profile-keys.ts';
import { RUN_CPU_KEYS } from '../../inputs/run-sections.ts';
import type { Reading, Writing } from './parts.ts';
import { type XmlElement, xml } from './xml-writer.ts';

/** All sections of the host's side that a domain may carry. */
const SECTIONS = Object.keys(PROFILE_SECTIONS).filter((section) => !PROFILE_ONLY.includes(section));

/** What the hook does for the guest has no place in libvirt's own words: it goes into our part of <metadata>, where the hook reads it. */
export function writeHostKeys({ source, dropList }: Writing): XmlElement | null {
  const keys = SECTIONS.flatMap((section) =>
    source
      .keys(section)
      .filter((key) => section !== 'cpu' || !RUN_CPU_KEYS.includes(key))
      .map((name) => xml('passqemu:key', { section, name }, source.said(section, name)!)),
  );
  for (const section of PROFILE_ONLY) {
    for (const key of source.keys(section)) {
      source.said(section, key);
      dropList.add(
        `[${section}] ${key}`,
        'the hook takes it from the profile only: keep that beside the domain',
      );
    }
  }
  return keys.length === 0 ? null : xml('passqemu:profile', { 'xmlns:passqemu': METADATA_NAMESPACE }, keys);
}

/** Reads them back, before all else: what they say goes before what can be guessed from libvirt's words. */
export function readHostKeys({ root, domain, draft, dropList }: Reading): void {
  for (const [name, value] of domain.metadata) {
    const dot = name.indexOf('.');
    const section = name.slice(0, dot);
    if (PROFILE_ONLY.includes(section))
      dropList.add(
        `/domain/metadata/passqemu:profile, ${name}`,
        'only the profile may say that: write it there yourself',
      );
    else if (isSection(section)) draft.set(section, name.slice(dot + 1), value);
    else dropList.add(`/domain/metadata/passqemu:profile, ${name}`, 'no such section');
  }
  for (const profile of root.one('metadata')?.all(`{${METADATA_NAMESPACE}}profile`) ?? []) profile.settle();
}
