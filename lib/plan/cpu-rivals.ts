import type { CpuRival } from '../host/cpu-rivals.ts';
import { type CpuSet, formatCpuList } from '../words/cpu-list.ts';
import type { KindName, Step } from '../words/step.ts';

interface Rivalry {
  /** The steps whose work it undoes. */
  readonly kinds: readonly KindName[];
  readonly does: string;
  remedy(cpus: string): string;
}

const RIVALRIES: Readonly<Record<CpuRival, Rivalry>> = {
  irqbalance: {
    kinds: ['irqs'],
    does: "moves interrupts onto the guest's CPUs again",
    remedy: (cpus) =>
      `Set IRQBALANCE_BANNED_CPULIST=${cpus} in /etc/default/irqbalance or /etc/sysconfig/irqbalance and restart it`,
  },
  tuned: {
    kinds: ['governor', 'workqueues', 'irqs'],
    does: 'sets governors, and with some profiles interrupts and workqueues, by its own profile',
    remedy: () =>
      'Choose a tuned profile with the same settings, or stop it while the guest runs (tuned-adm off)',
  },
  'power-profiles-daemon': {
    kinds: ['governor'],
    does: 'sets governor and energy preference whenever its profile changes',
    remedy: () => 'Choose its performance profile for the time (powerprofilesctl launch -p performance)',
  },
  tlp: {
    kinds: ['governor'],
    does: 'sets governor and energy preference when the power supply changes',
    remedy: () => 'Set CPU_SCALING_GOVERNOR_ON_AC in /etc/tlp.conf to the same governor',
  },
  'auto-cpufreq': {
    kinds: ['governor'],
    does: 'sets governors by the load',
    remedy: () => 'Stop it while the guest runs (systemctl stop auto-cpufreq)',
  },
};

/** Tells what services that run on this host will do to our values, and what helps. */
export function noteRivals(cpus: CpuSet, steps: readonly Step[], rivals: readonly CpuRival[]): string[] {
  const kinds = new Set<KindName>(steps.map(({ kind }) => kind));
  return rivals
    .filter((rival) => RIVALRIES[rival].kinds.some((kind) => kinds.has(kind)))
    .map(
      (rival) =>
        `${rival} runs and ${RIVALRIES[rival].does}. ${RIVALRIES[rival].remedy(formatCpuList(cpus))}`,
    );
}
