import type { Profile } from './profile.ts';
import type { RunKeyedSection, RunValues } from './run-keys.ts';

/** One section of those that there can be many of, with its label. */
export type Labelled<Section extends RunKeyedSection> = RunValues<Section> & { readonly label: string };

/** What a profile says of a guest without libvirt, checked key by key and against each other. The fields are the keys of run-keys.ts. */
export interface RunProfile {
  readonly guest: string;
  readonly machine: RunValues<'machine'>;
  readonly smbios: RunValues<'smbios'>;
  readonly firmware: RunValues<'firmware'>;
  /** The further keys of [cpu]. */
  readonly threads: RunValues<'cpu'>;
  readonly numa: readonly Labelled<'numa'>[];
  readonly disks: readonly Labelled<'disk'>[];
  readonly networks: readonly Labelled<'network'>[];
  readonly devices: readonly Labelled<'device'>[];
  readonly usb: readonly Labelled<'usb'>[];
  readonly inputs: readonly Labelled<'input'>[];
  readonly shares: readonly Labelled<'share'>[];
  readonly fwCfg: readonly Labelled<'fw-cfg'>[];
  readonly display: RunValues<'display'>;
  /** Null without such a section. */
  readonly lookingGlass: RunValues<'looking-glass'> | null;
  readonly audio: RunValues<'audio'>;
  readonly tpm: RunValues<'tpm'>;
  readonly serial: RunValues<'serial'>;
  readonly agent: RunValues<'agent'>;
  readonly arguments: readonly { readonly label: string; readonly words: readonly string[] }[];
}

/** Both halves of a profile: what the host gives (the same as under libvirt), and what the guest is. */
export interface WholeProfile {
  readonly host: Profile;
  readonly run: RunProfile;
  /** Whether the profile has any section of a guest without libvirt; an empty one may be that of libvirt's. */
  readonly describesGuest: boolean;
}
