import type { CpuPicture } from '../host/cpu-picture.ts';
import { type CpuSet, formatCpuList, intersectionOf, unionOf, without } from '../words/cpu-list.ts';
import type { Refusal } from '../words/errors.ts';
import type { HeldStep } from '../words/step.ts';
import { cpuHolders } from './cpu-holders.ts';
import type { CpuPlanInput } from './cpu-input.ts';

/** Every reason why the guest cannot have these CPUs for itself. */
export function checkGuestCpus(cpus: CpuSet, { profile, picture, held }: CpuPlanInput): Refusal[] {
  const refusals = [...checkExistence(cpus, picture), ...checkHolders(cpus, held)];
  const takesThem = profile.isolate || profile.irqs || profile.workqueues;
  if (takesThem && refusals.length === 0) refusals.push(...checkHostsShare(cpus, picture, held));
  return refusals;
}

function checkExistence(cpus: CpuSet, { online, present }: CpuPicture): Refusal[] {
  const refusals: Refusal[] = [];
  const missing = without(cpus, present);
  const offline = without(intersectionOf(cpus, present), online);
  if (missing.length > 0) {
    refusals.push({
      id: 'cpu-missing',
      summary: `Cannot give ${name(missing)} to the guest: this host has only ${formatCpuList(present)}`,
      remedy: "Name CPUs of this host in cpu.guest or in the domain's cputune",
    });
  }
  if (offline.length > 0) {
    refusals.push({
      id: 'cpu-offline',
      summary: `Cannot give ${name(offline)} to the guest: ${offline.length === 1 ? 'it is' : 'they are'} offline`,
      remedy: `Write 1 to /sys/devices/system/cpu/cpu${offline[0]}/online${offline.length === 1 ? '' : ' and so on'}, or name others`,
    });
  }
  return refusals;
}

function checkHolders(cpus: CpuSet, held: readonly HeldStep[]): Refusal[] {
  const refusals: Refusal[] = [];
  for (const [guest, theirs] of cpuHolders(held)) {
    const both = intersectionOf(cpus, theirs);
    if (both.length === 0) continue;
    refusals.push({
      id: 'cpu-held',
      summary: `Cannot give ${name(both)} to the guest: ${both.length === 1 ? 'it belongs' : 'they belong'} to ${guest}`,
      remedy: `Stop ${guest} first, or name CPUs that it does not have`,
    });
  }
  return refusals;
}

/** The host keeps at least one CPU that its scheduler uses by itself. */
function checkHostsShare(cpus: CpuSet, picture: CpuPicture, held: readonly HeldStep[]): Refusal[] {
  const guests = unionOf(cpus, ...cpuHolders(held).values());
  const left = without(picture.online, guests);
  if (without(left, picture.isolated).length > 0) return [];
  const why =
    left.length === 0
      ? 'none is left for the host'
      : `the kernel command line isolates all others (${formatCpuList(left)})`;
  return [
    {
      id: 'cpu-none-left',
      summary: `Cannot give ${name(cpus)} to the guest: ${why}, one must be`,
      remedy: 'Leave the host a whole core, best the first one',
    },
  ];
}

function name(cpus: CpuSet): string {
  return `${cpus.length === 1 ? 'CPU' : 'CPUs'} ${formatCpuList(cpus)}`;
}
