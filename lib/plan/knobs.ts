import { KNOB_PATHS, type KnobPicture, type SettingKnob } from '../host/knobs.ts';
import type { Profile } from '../inputs/profile.ts';
import type { Refusal } from '../words/errors.ts';
import { type HeldStep, heldOf, type Step, type StepOf } from '../words/step.ts';
import type { PlanPart } from './part.ts';

type Knobs = Profile['knobs'];

/** What the decision about knobs rests on. */
export interface KnobsPlanInput {
  readonly guest: string;
  readonly profile: Knobs;
  readonly picture: KnobPicture;
  readonly others: readonly HeldStep[];
}

/** Above this share of each second real-time tasks leave the kernel's own threads too little: it is the kernel's default. */
const USUAL_RT_RUNTIME_US = 950_000;

/** The settings of the whole host that the guest asks for, and the inhibitor that keeps the host awake. */
export function planKnobs({ guest, profile, picture, others }: KnobsPlanInput): PlanPart {
  const steps: Step[] = [];
  const refusals: Refusal[] = [];
  const notes: string[] = [];
  if (profile.inhibitSleep && picture.canInhibitSleep) steps.push(inhibit(guest));
  if (profile.inhibitSleep && !picture.canInhibitSleep) {
    notes.push(
      'The host may sleep while the guest runs: there is no systemd-inhibit here that could hold it off',
    );
  }
  for (const { knob, label, value } of wantedKnobs(profile)) {
    const path = KNOB_PATHS[knob];
    const now = picture.present.get(knob) ?? null;
    if (now === null) {
      notes.push(`This kernel has no ${label} (${path}): left out`);
      continue;
    }
    if (knob === 'rtRuntimeUs') {
      if (Number(value) <= 0) {
        refusals.push(endlessRealTime(value));
        continue;
      }
      notes.push(...notesOnRealTime(Number(value), Number(now)));
    }
    const other = heldOf(others, 'setting').find(({ step }) => step.path === path && step.value !== value);
    if (other !== undefined) refusals.push(heldOtherwise(label, value, other.guest, other.step.value));
    else steps.push({ kind: 'setting', target: label, from: now, to: value, path, value, label });
  }
  return { steps, refusals, notes };
}

/**
 * Each knob that the profile turns, as its file takes it. KSM is turned off with 0, not 2: 2 also gives every merged page
 * memory of its own again at once, which the host may not have; 0 only stops the search (admin-guide/mm/ksm.rst).
 */
function wantedKnobs(
  knobs: Knobs,
): { readonly knob: SettingKnob; readonly label: string; readonly value: string }[] {
  return (Object.keys(LABELS) as SettingKnob[]).flatMap((knob) => {
    const value = knobs[knob];
    if (value === null) return [];
    return [
      { knob, label: LABELS[knob], value: typeof value === 'boolean' ? (value ? '1' : '0') : `${value}` },
    ];
  });
}

const LABELS: Readonly<Record<SettingKnob, string>> = {
  transparentHugepages: 'transparent huge pages',
  ksm: 'KSM',
  rtRuntimeUs: 'sched_rt_runtime_us',
  nmiWatchdog: 'the NMI watchdog',
  statIntervalS: 'vm.stat_interval',
  compactionProactiveness: 'vm.compaction_proactiveness',
};

function notesOnRealTime(value: number, now: number): string[] {
  const notes: string[] = [];
  if (now < 0) {
    notes.push(
      'sched_rt_runtime_us is -1 on this host: a real-time task that never rests takes its CPU from everything else for good',
    );
  }
  if (value > USUAL_RT_RUNTIME_US) {
    notes.push(
      `sched_rt_runtime_us = ${value} leaves other tasks little of a CPU that a real-time task keeps busy: the host may stall`,
    );
  }
  return notes;
}

function inhibit(guest: string): StepOf<'inhibit'> {
  return { kind: 'inhibit', target: 'sleep', from: null, to: 'held off', token: `passqemu guest ${guest}` };
}

function heldOtherwise(label: string, value: string, guest: string, theirs: string): Refusal {
  return {
    id: 'setting-held',
    summary: `Cannot set ${label} to ${value}: guest ${guest} holds it at ${theirs}, and it is one for the whole host`,
    remedy: `Stop ${guest} first, or give both profiles the same value in [knobs]`,
  };
}

function endlessRealTime(value: string): Refusal {
  return {
    id: 'rt-runtime',
    summary: `Cannot set sched_rt_runtime_us to ${value}: a real-time task could then keep a CPU for ever and hang the host`,
    remedy: 'Set rt-runtime-us in the profile’s [knobs] to at most 990000, or leave it out',
  };
}
