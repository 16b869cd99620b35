import { allowedCpusDropIn } from '../../lib/host/systemd.ts';
import { formatCpuList } from '../../lib/words/cpu-list.ts';
import { changeCgroup } from './cgroup-model.ts';
import { listOf } from './cpu-model.ts';
import type { FakeHost } from './fake-host.ts';

const HEAD =
  '# This is a drop-in unit file extension, created via "systemctl set-property"\n# or an equivalent operation. Do not edit.\n';
const settings = new WeakMap<FakeHost['tree'], Map<string, string>>();

/**
 * Puts a running systemd; addCgroups() comes first. `systemctl set-property --runtime -- UNIT AllowedCPUs=LIST` writes the drop-in
 * and the cgroup; when no unit has the property any more, the cpuset controller goes away (252 and 257 do so).
 */
export function addSystemd(host: FakeHost): void {
  settings.set(host.tree, new Map());
  host.putFolder('/run/systemd/system');
  host.onRun('systemctl', (argv) => setProperty(host, argv));
}

/** An admin's call of the same program. */
export function setByAdmin(host: FakeHost, unit: string, cpus: string): void {
  setProperty(host, ['systemctl', 'set-property', '--runtime', '--', unit, `AllowedCPUs=${cpus}`]);
}

/** systemd's own view of a unit: systemctl show -p AllowedCPUs. */
export function allowedCpus(host: FakeHost, unit: string): string {
  return settings.get(host.tree)?.get(unit) ?? '';
}

function setProperty(host: FakeHost, argv: readonly string[]): { status: number; stderr?: string } {
  const [, command, runtime, dashes, unit = '', assignment = ''] = argv;
  const list = /^AllowedCPUs=([\d,-]*)$/.exec(assignment)?.[1];
  if (command !== 'set-property' || runtime !== '--runtime' || dashes !== '--' || list === undefined) {
    return { status: 1, stderr: `Failed to set unit properties: Invalid argument\n` };
  }
  const map = settings.get(host.tree)!;
  const cpus = formatCpuList(listOf(list));
  if (cpus === '') map.delete(unit);
  else map.set(unit, cpus);
  const section = unit.endsWith('.scope') ? 'Scope' : 'Slice';
  host.put(allowedCpusDropIn(unit), dropInText(section, cpus.replaceAll(',', ' ')));
  changeCgroup(host, unit, cpus, map.size > 0);
  return { status: 0 };
}

/** A drop-in as systemd writes it. */
export function dropInText(section: string, cpus: string): string {
  return `${HEAD}[${section}]\nAllowedCPUs=\nAllowedCPUs=${cpus}\n`;
}
