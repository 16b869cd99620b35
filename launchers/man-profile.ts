import { keysOfSection, PROFILE_SECTIONS, profileKey } from '../lib/inputs/profile-keys.ts';
import { RUN_KEYS, RUN_SECTION_HELP, runKey } from '../lib/inputs/run-keys.ts';
import { RUN_SECTIONS } from '../lib/inputs/run-sections.ts';
import { type AnyKey, describeKey } from './key-text.ts';
import { formatHead, formatSection, formatTagged } from './man-roff.ts';

/** passqemu-profile(5): every section and key, from the tables that the reader checks a profile against. */
export function formatProfilePage(): string {
  const own = Object.entries(PROFILE_SECTIONS).flatMap(([section, help]) => [
    ...formatSection(`[${section}]`, help),
    ...keysOfSection(section).flatMap((key) => formatKey(key, profileKey(section, key)!)),
  ]);
  const run = Object.entries(RUN_SECTION_HELP).flatMap(([section, help]) => {
    const isEach = RUN_SECTIONS[section] === 'each';
    const keys = Object.keys((RUN_KEYS as Readonly<Record<string, object>>)[section] ?? {});
    const title = section === 'cpu' ? '[cpu], without libvirt' : `[${section}${isEach ? ' LABEL' : ''}]`;
    return [...formatSection(title, help), ...keys.flatMap((key) => formatKey(key, runKey(section, key)!))];
  });
  return [
    ...formatHead('passqemu-profile', 5, 'what a guest gets of the host while it runs'),
    ...formatSection(
      'DESCRIPTION',
      '/etc/passqemu/GUEST.ini, an ini file that belongs to root. A key that is not known, stands twice or has a value that it cannot have is an error with its line; nothing is guessed. All that is not set is read from the domain XML or has its default.',
      'The sections up to [commands] are for every guest; those behind it only for guests that passqemu starts without libvirt.',
    ),
    ...own,
    ...run,
    ...formatSection('SEE ALSO', 'passqemu(1), passqemu-plan(1)'),
    '',
  ].join('\n');
}

function formatKey(name: string, key: AnyKey): string[] {
  const { syntax, facts } = describeKey(key);
  return formatTagged(`${name} = ${syntax}`, key.help, ...(facts === '' ? [] : [facts]));
}
