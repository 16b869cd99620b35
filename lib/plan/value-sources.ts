import type { Domain, DomainFunction } from '../inputs/domain.ts';
import { guestCpusOf } from '../inputs/guest-cpus.ts';
import type { ValueSource } from '../inputs/merge-metadata.ts';
import type { Profile } from '../inputs/profile.ts';
import { type CpuSet, formatCpuList } from '../words/cpu-list.ts';
import { formatKib } from '../words/size.ts';

/** One value of a plan and who says so. "xml": the domain's own elements; "metadata": our keys in it. */
export interface SourcedValue {
  readonly key: string;
  readonly value: string;
  readonly from: ValueSource | 'xml';
}

export interface ValueInput {
  readonly profile: Profile;
  readonly domain: Domain | null;
  readonly sources: ReadonlyMap<string, ValueSource>;
  /** By "section.key", as it was written or as the default stands; absent or null: nobody says anything. */
  readonly texts: ReadonlyMap<string, string | null>;
  readonly online: CpuSet;
}

/** Every value that a plan is made from, by key, with its source; where nobody says anything there is no line. */
export function listValues({ profile, domain, sources, texts, online }: ValueInput): SourcedValue[] {
  const said = [...sources].flatMap(([key, from]): SourcedValue[] => {
    const value = texts.get(key) ?? null;
    return value === null ? [] : [{ key, value, from }];
  });
  const known = new Set(said.map(({ key }) => key));
  const fromXml = domain === null ? [] : xmlValues(profile, domain, online);
  return [...said, ...fromXml.filter(({ key }) => !known.has(key))].sort((a, b) => (a.key < b.key ? -1 : 1));
}

function xmlValues(profile: Profile, domain: Domain, online: CpuSet): SourcedValue[] {
  const values = new Map<string, string>();
  const named = new Set(
    profile.devices.requests.map(({ selector }) => (selector.by === 'address' ? selector.address : null)),
  );
  for (const one of domain.functions) {
    if (!named.has(one.address)) values.set(`devices ${one.address}`, describeFunction(one));
  }
  const cpus = guestCpusOf({ ...profile.cpu, guest: null }, domain, online);
  if (cpus.from === 'domain') values.set('cpu.guest', formatCpuList(cpus.cpus));
  if (domain.hugepages !== null) {
    const sizes = domain.hugepages.map(({ sizeKib }) =>
      sizeKib === null ? 'default size' : formatKib(sizeKib),
    );
    values.set('memory.hugepages', [...new Set(sizes)].join(', ') || 'default size');
  }
  if (domain.memoryKib !== null) values.set('memory.size', formatKib(domain.memoryKib));
  if (domain.memoryNodes !== null) values.set('memory.nodes', `node ${formatCpuList(domain.memoryNodes)}`);
  return [...values].map(([key, value]) => ({ key, value, from: 'xml' }));
}

const ELEMENTS: Readonly<Record<DomainFunction['source'], string>> = {
  hostdev: '<hostdev>',
  interface: "<interface type='hostdev'>",
  nvme: "<disk type='nvme'>",
};

function describeFunction({ source, managed }: DomainFunction): string {
  return `${ELEMENTS[source]} managed='${managed ? 'yes' : 'no'}'`;
}
