/** What a check answers; "unknown" is that nobody could look, and `summary` says why. */
export type Status = 'ok' | 'warn' | 'fail' | 'unknown';

/** The themes, in the order in which people read them. */
export const THEMES = [
  'processor',
  'iommu',
  'groups',
  'vfio',
  'gpu',
  'firmware',
  'kvm',
  'libvirt',
  'memory',
  'cpus',
  'power',
  'guest',
] as const;
export type Theme = (typeof THEMES)[number];

/** The answer of one check, as `doctor --json` prints it (cli.md; theme and title are beside the contract). */
export interface Finding {
  /** "iommu.enabled": stable, for scripts. */
  readonly id: string;
  readonly theme: Theme;
  /** What was asked, in a few words. */
  readonly title: string;
  readonly status: Status;
  /** What was found, one sentence. */
  readonly summary: string;
  /** What else was found, and what it means for passthrough. */
  readonly detail: string;
  /** What to do about it on this distribution and boot loader; null where nothing is to be done. */
  readonly remedy: string | null;
}
