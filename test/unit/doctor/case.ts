import { readFindings } from '../../../launchers/doctor-findings.ts';
import type { Finding } from '../../../lib/doctor/finding.ts';
import { HEALTHY_XML, healthyMachine, type PickyHost } from '../../fake/healthy-machine.ts';

/** A machine and a guest of a test, and who looks. */
export interface Scene {
  readonly host: PickyHost;
  xml: string | null;
  isRoot: boolean;
}

/** One check: what makes it complain, with which remedy, and what keeps it from looking. */
export interface Case {
  readonly id: string;
  readonly status: 'warn' | 'fail';
  spoil(scene: Scene): void;
  /** Stands in the remedy. */
  readonly remedy: string;
  hide(scene: Scene): void;
  /** Stands in the summary of "unknown". */
  readonly why: string;
}

/** A case as a line. */
export function check(
  id: string,
  status: Case['status'],
  spoil: Case['spoil'],
  remedy: string,
  hide: Case['hide'],
  why: string,
): Case {
  return { id, status, spoil, remedy, hide, why };
}

/** Looks at the healthy machine after a change. */
export async function look(change: (scene: Scene) => void): Promise<readonly Finding[]> {
  const scene: Scene = { host: healthyMachine(), xml: HEALTHY_XML, isRoot: true };
  change(scene);
  const places = { host: scene.host, stateDir: '/run/passqemu', configDir: '/etc/passqemu' };
  return readFindings(places, { name: 'win11', xml: scene.xml }, scene.isRoot);
}

/** Changes text in a file of the machine; what is not there would be a test of nothing. */
export function edit(path: string, from: string | RegExp, to: string): (scene: Scene) => void {
  return ({ host }) => {
    const text = host.peek(path);
    if (text?.replace(from, to) === text) throw new Error(`${path} has no ${from}`);
    host.put(path, text?.replace(from, to) ?? '');
  };
}

/** Changes the guest’s XML. */
export function editXml(from: string | RegExp, to: string): (scene: Scene) => void {
  return (scene) => {
    const text = scene.xml?.replace(from, to);
    if (text === scene.xml) throw new Error(`the XML has no ${from}`);
    scene.xml = text ?? null;
  };
}

/** Puts a file. */
export function put(path: string, text: string, mode?: number): (scene: Scene) => void {
  return ({ host }) => void host.put(path, text, mode);
}

/** Removes files and folders that are there. */
export function drop(...paths: readonly string[]): (scene: Scene) => void {
  return ({ host }) => {
    for (const path of paths) {
      if (host.tree.get(path, true) === null) throw new Error(`there is no ${path}`);
      host.drop(path);
    }
  };
}

/** One change after the other. */
export function both(...changes: readonly ((scene: Scene) => void)[]): (scene: Scene) => void {
  return (scene) => {
    for (const change of changes) change(scene);
  };
}

/** Adds words to the kernel’s command line. */
export function boot(words: string): (scene: Scene) => void {
  return edit('/proc/cmdline', 'quiet', `quiet ${words}`);
}

/** Adds a line to the kernel’s log. */
export function logged(line: string): (scene: Scene) => void {
  return edit('/dev/kmsg', /$/, `4,9,99,-;${line}\n`);
}

/** Keeps a file from being read. */
export function deny(path: string, code?: string): (scene: Scene) => void {
  return ({ host }) => void host.deny(path, code);
}

export const noParameters = deny('/proc/cmdline', 'EIO');
export const noLog = deny('/dev/kmsg', 'EPERM');
export const noBus = drop('/sys/bus/pci/devices');
export const noGroups = drop('/sys/kernel/iommu_groups');
export const noCpus = drop('/sys/devices/system/cpu');
export const noXml = (scene: Scene): void => {
  scene.xml = null;
};
export const asUser = (scene: Scene): void => {
  scene.isRoot = false;
};

/** Hides all processes, as a /proc of another PID namespace does. */
export function noProcesses({ host }: Scene): void {
  for (const name of host.list('/proc')) if (/^\d+$/.test(name)) host.drop(`/proc/${name}`);
}

/** Makes a folder one that only root may search, and looks as somebody else. */
export function locked(folder: string, ...gone: readonly string[]): (scene: Scene) => void {
  return both(asUser, gone.length === 0 ? () => {} : drop(...gone), ({ host }) => {
    host.tree.folder(folder).mode = 0o700;
  });
}
