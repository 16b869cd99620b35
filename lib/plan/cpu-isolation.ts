import type { CpuControl, HostUnit } from '../host/cpu-picture.ts';
import { threadPins } from '../inputs/guest-cpus.ts';
import { type CpuSet, formatCpuList, intersectionOf, without } from '../words/cpu-list.ts';
import type { Refusal } from '../words/errors.ts';
import { heldOf, type Step } from '../words/step.ts';
import { cpuHolders } from './cpu-holders.ts';
import type { CpuPlanInput } from './cpu-input.ts';
import { EMPTY_PART, type PlanPart } from './part.ts';

type ControlBy<B extends CpuControl['by']> = Extract<CpuControl, { readonly by: B }>;

/** Keeps everything of the host off the guest's CPUs, where the kernel command line does not do so already. */
export function planIsolation(cpus: CpuSet, input: CpuPlanInput): PlanPart {
  const { control, isolated } = input.picture;
  if (control === null) return EMPTY_PART;
  const notes = noteKernelIsolation(cpus, input);
  const open = without(cpus, isolated);
  if (open.length === 0) return { ...EMPTY_PART, notes };
  const plan = planByControl(open, control, input);
  return { ...plan, notes: [...notes, ...plan.notes] };
}

function planByControl(cpus: CpuSet, control: CpuControl, input: CpuPlanInput): PlanPart {
  if (control.by === 'systemd') return planSlices(cpus, control, input);
  if (control.by === 'partition') return planPartition(cpus, control, input);
  const notes = [`The host is not kept off CPUs ${formatCpuList(cpus)}: ${control.why}. ${control.remedy}`];
  return { ...EMPTY_PART, notes };
}

function planSlices(cpus: CpuSet, { units }: ControlBy<'systemd'>, { picture }: CpuPlanInput): PlanPart {
  const refusals: Refusal[] = [];
  const notes: string[] = [];
  const steps: Step[] = [];
  for (const unit of units) {
    // An admin's setting may keep a unit off them already
    if (intersectionOf(unit.effective, cpus).length === 0) continue;
    const left = without(unit.effective, cpus);
    if (left.length === 0) refusals.push(refuseUnit(unit, cpus));
    if (unit.stronger !== null) {
      notes.push(
        `${unit.stronger} wins over what is set for ${unit.unit} while the guest runs as soon as somebody calls systemctl daemon-reload`,
      );
    }
    const face = { target: unit.unit, from: formatCpuList(unit.effective), to: formatCpuList(left) };
    steps.push({ kind: 'slice', unit: unit.unit, guestCpus: formatCpuList(cpus), ...face });
  }
  return { steps: picture.forgetsAffinities ? holdPins(steps, 'cgroups') : steps, refusals, notes };
}

function refuseUnit({ unit, effective }: HostUnit, cpus: CpuSet): Refusal {
  return {
    id: 'cpu-slice-empty',
    summary: `Cannot keep ${unit} off CPUs ${formatCpuList(cpus)}: it has only ${formatCpuList(effective)}, must keep one`,
    remedy: `Give ${unit} more CPUs (AllowedCPUs of systemctl show ${unit}) or the guest others`,
  };
}

function planPartition(
  cpus: CpuSet,
  { cgroup, strangers }: ControlBy<'partition'>,
  { domain, held }: CpuPlanInput,
): PlanPart {
  const list = formatCpuList(cpus);
  const isFirst = heldOf(held, 'partition').every(({ step }) => step.cgroup !== cgroup);
  if (isFirst && strangers.length > 0) {
    const notes = [
      `The host is not kept off CPUs ${list}: without systemd that takes a partition, and other guests are in the cgroup ${cgroup} already (${strangers.join(', ')})`,
    ];
    return { ...EMPTY_PART, notes };
  }
  // sched_setaffinity(2) fails for a thread in a partition that has none of its CPUs, and libvirt then ends the guest
  const outside = [...threadPins(domain)].filter(([, pin]) => intersectionOf(pin, cpus).length === 0);
  if (outside.length > 0) {
    const who = outside.map(([thread, pin]) => `${thread} on ${formatCpuList(pin)}`).join(', ');
    const notes = [
      `The host is not kept off CPUs ${list}: without systemd that takes a partition for all of the guest's threads, and these are pinned outside: ${who}. Pin them to CPUs of the guest`,
    ];
    return { ...EMPTY_PART, notes };
  }
  const step: Step = { kind: 'partition', cgroup, guestCpus: list, target: cgroup, from: null, to: list };
  return { ...EMPTY_PART, steps: holdPins([step], 'all') };
}

/** Around steps that change cpusets: what the kernel forgets by that is remembered before and put right behind them. */
function holdPins(steps: readonly Step[], scope: 'cgroups' | 'all'): Step[] {
  if (steps.length === 0) return [];
  const face = { target: 'pinned tasks', from: null, to: null };
  return [
    { kind: 'affinities', role: 'remember', scope, ...face },
    ...steps,
    { kind: 'affinities', role: 'mend', scope, ...face },
  ];
}

/** Tells where isolcpus= and nohz_full= do not fit the guest: other guests' CPUs are no reason to complain. */
function noteKernelIsolation(cpus: CpuSet, { picture, held }: CpuPlanInput): string[] {
  const notes: string[] = [];
  const elsewhere = [...cpuHolders(held).values()].flat();
  for (const [parameter, set] of [
    ['isolcpus', picture.isolated],
    ['nohz_full', picture.nohzFull],
  ] as const) {
    const ours = without(set, elsewhere);
    const open = without(cpus, ours);
    if (ours.length > 0 && open.length > 0) {
      notes.push(
        `${parameter} on the kernel command line is ${formatCpuList(set)}, the guest has CPUs ${formatCpuList(cpus)}: ${formatCpuList(open)} ${open.length === 1 ? 'is' : 'are'} not in it`,
      );
    }
  }
  return notes;
}
