import type { Profile } from '../inputs/profile.ts';
import type { Host } from './host.ts';
import { readInhibitSupport } from './inhibitors.ts';
import { readSetting } from './settings.ts';

type Knobs = Profile['knobs'];
/** The knobs that are one value in one file. */
export type SettingKnob = Exclude<keyof Knobs, 'inhibitSleep'>;

/**
 * Where each of them is: Documentation/admin-guide/mm/transhuge.rst and ksm.rst, Documentation/admin-guide/sysctl/kernel.rst
 * and vm.rst, Documentation/scheduler/sched-rt-group.rst.
 */
export const KNOB_PATHS: Readonly<Record<SettingKnob, string>> = {
  transparentHugepages: '/sys/kernel/mm/transparent_hugepage/enabled',
  ksm: '/sys/kernel/mm/ksm/run',
  rtRuntimeUs: '/proc/sys/kernel/sched_rt_runtime_us',
  nmiWatchdog: '/proc/sys/kernel/nmi_watchdog',
  statIntervalS: '/proc/sys/vm/stat_interval',
  compactionProactiveness: '/proc/sys/vm/compaction_proactiveness',
};

/** What the knobs that the profile turns are now. */
export interface KnobPicture {
  /** Only those that the profile turns; null where this kernel has no such file. */
  readonly present: ReadonlyMap<SettingKnob, string | null>;
  readonly canInhibitSleep: boolean;
}

/** Reads the present value of each knob that the profile turns, and whether sleep can be held off where it asks for that. */
export function readKnobPicture(host: Host, knobs: Knobs): KnobPicture {
  const turned = (Object.keys(KNOB_PATHS) as SettingKnob[]).filter((knob) => knobs[knob] !== null);
  return {
    present: new Map(turned.map((knob) => [knob, readSetting(host, KNOB_PATHS[knob])])),
    canInhibitSleep: knobs.inhibitSleep && readInhibitSupport(host),
  };
}
