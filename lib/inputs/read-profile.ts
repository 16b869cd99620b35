import type { ProfileProblem } from '../words/errors.ts';
import { mergeMetadata, type ValueSource } from './merge-metadata.ts';
import { isProblem } from './parsed.ts';
import type { DeviceRequest, Profile, UserCommand } from './profile.ts';
import {
  type CommandName,
  type KeyName,
  PROFILE_KEYS,
  type ProfileKey,
  type ValueOf,
} from './profile-keys.ts';
import { problemsError } from './profile-problems.ts';
import { type ProfileEntry, parseProfileText } from './profile-text.ts';
import { parseProfileValue } from './profile-values.ts';
import { deviceRequestOf } from './selector.ts';

/** Whose profile it is, from which file (for messages), and what the domain's metadata adds to it. */
export interface ProfileContext {
  readonly guest: string;
  readonly path: string;
  readonly metadata?: ReadonlyMap<string, string>;
}

/** A profile and where each value comes from, by "section.key", the labels of [devices] included. */
export interface SourcedProfile {
  readonly profile: Profile;
  readonly sources: ReadonlyMap<string, ValueSource>;
  /** The values as they were written, or as the defaults stand; null: nobody says anything. */
  readonly texts: ReadonlyMap<string, string | null>;
}

/** Reads the text of a profile, or throws one ProfileError with everything that is wrong with it. */
export function parseProfile(text: string, context: ProfileContext): Profile {
  return parseSourcedProfile(text, context).profile;
}

/** The same, telling where each value comes from. Problems of the metadata alone are a DomainError. */
export function parseSourcedProfile(text: string, context: ProfileContext): SourcedProfile {
  const lines = parseProfileText(text);
  const merged = mergeMetadata(lines.entries, context.metadata ?? new Map());
  const reader = new ValueReader(merged.entries);
  const profile = profileOf(context, reader);
  const problems = [...lines.problems, ...reader.problems];
  if (problems.length > 0 || merged.problems.length > 0)
    throw problemsError(context, [...problems, ...merged.problems]);

  const defaults = Object.keys(PROFILE_KEYS).map((name): [string, ValueSource] => [name, 'default']);
  const texts = new Map<string, string | null>(
    Object.entries(PROFILE_KEYS).map(([name, key]) => [name, (key as ProfileKey).default]),
  );
  for (const [name, { value }] of merged.entries) texts.set(name, value);
  return { profile, sources: new Map([...defaults, ...merged.sources]), texts };
}

function profileOf({ guest, path }: ProfileContext, reader: ValueReader): Profile {
  const value = <N extends KeyName>(name: N): ValueOf<N> => reader.value(name);
  const statIntervalMs = value('knobs.stat-interval');
  if (statIntervalMs !== null && statIntervalMs % 1000 !== 0) {
    reader.add('knobs.stat-interval', 'has parts of a second, must be whole seconds');
  }
  const nodes = value('memory.nodes');
  const sizeKib = value('memory.size');
  const onNodes = nodes?.reduce((sum, node) => sum + node.sizeKib, 0) ?? null;
  if (sizeKib !== null && onNodes !== null && onNodes !== sizeKib) {
    reader.add('memory.nodes', 'does not add up to size, must do so where both are given');
  }

  return {
    guest,
    path,
    devices: {
      requests: reader.deviceRequests(),
      siblings: value('options.siblings'),
      managed: value('options.managed'),
      allowDefaultRoute: value('options.allow-default-route'),
      keepAwake: value('options.keep-awake'),
      resetMethods: value('options.reset-methods') ?? [],
      barSizes: value('options.bar-sizes') ?? [],
      deadlineMs: value('options.device-timeout'),
    },
    memory: {
      hugepageKib: value('memory.hugepages'),
      sizeKib,
      nodes,
      waitMs: value('memory.wait'),
      compact: value('memory.compact'),
      dropCaches: value('memory.drop-caches'),
    },
    cpu: {
      guest: value('cpu.guest'),
      isolate: value('cpu.isolate'),
      irqs: value('cpu.irqs'),
      workqueues: value('cpu.workqueues'),
      governor: value('cpu.governor'),
      energy: value('cpu.energy'),
    },
    handover: {
      display: value('handover.display'),
      sessions: value('handover.sessions'),
      units: value('handover.units'),
      processes: value('handover.processes') ?? [],
      modules: value('handover.modules'),
      timeoutMs: value('handover.timeout'),
    },
    knobs: {
      transparentHugepages: value('knobs.transparent-hugepages'),
      ksm: value('knobs.ksm'),
      rtRuntimeUs: value('knobs.rt-runtime-us'),
      nmiWatchdog: value('knobs.nmi-watchdog'),
      statIntervalS: statIntervalMs === null ? null : statIntervalMs / 1000,
      compactionProactiveness: value('knobs.compaction-proactiveness'),
      inhibitSleep: value('knobs.inhibit-sleep'),
    },
    commands: {
      prepareFirst: reader.command('prepare-first'),
      prepareLast: reader.command('prepare-last'),
      started: reader.command('started'),
      stopped: reader.command('stopped'),
      releaseFirst: reader.command('release-first'),
      releaseLast: reader.command('release-last'),
    },
  };
}

/** Turns entries into values by the table of keys, collecting what is wrong with them. */
class ValueReader {
  readonly problems: ProfileProblem[] = [];
  readonly #entries: ReadonlyMap<string, ProfileEntry>;
  /** One complaint a key is enough. */
  readonly #blamed = new Set<string>();

  constructor(entries: ReadonlyMap<string, ProfileEntry>) {
    this.#entries = entries;
  }

  value<N extends KeyName>(name: N): ValueOf<N> {
    const key: ProfileKey = PROFILE_KEYS[name];
    const text = this.#entries.get(name)?.value ?? key.default;
    if (text === null) return null as ValueOf<N>;
    const parsed = parseProfileValue(key, text);
    if (!isProblem(parsed)) return parsed.value as ValueOf<N>;
    this.add(name, parsed.problem, parsed.hint);
    return null as ValueOf<N>;
  }

  command(name: CommandName): UserCommand | null {
    const argv = this.value(`commands.${name}`);
    const timeoutMs = this.value(`commands.${name}-timeout`) ?? this.value('commands.timeout');
    return argv === null ? null : { argv, timeoutMs };
  }

  deviceRequests(): DeviceRequest[] {
    const requests: DeviceRequest[] = [];
    const labels = new Map<string, string>();
    for (const [name, { section, key, value }] of this.#entries) {
      if (section !== 'devices' || value === null) continue;
      const parsed = deviceRequestOf(key, value);
      if (isProblem(parsed)) {
        this.add(name, parsed.problem, parsed.hint);
        continue;
      }
      const selector = JSON.stringify(parsed.value.selector);
      const other = labels.get(selector);
      if (other !== undefined) this.add(name, `names the same function as ${other}, must be another`);
      labels.set(selector, key);
      requests.push(parsed.value);
    }
    return requests;
  }

  add(name: string, what: string, hint?: string): void {
    const entry = this.#entries.get(name);
    const [section = null, key = null] = entry === undefined ? name.split('.') : [entry.section, entry.key];
    if (this.#blamed.has(name)) return;
    this.#blamed.add(name);
    this.problems.push({ line: entry?.line ?? null, section, key, what, hint: hint ?? null });
  }
}
