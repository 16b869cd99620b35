import type { RunBuild } from './run-build.ts';

/** What other guests that run have of this one: itself, or its disks. Two guests that write one disk destroy it. */
export function checkOthers(build: RunBuild, uuid: string): void {
  const { run, picture } = build;
  const real = (path: string) => picture.realPaths.get(path) ?? path;
  const named = new Map<string, string>();
  for (const { label, source, type, readOnly } of run.disks) {
    if (source === null || type === 'cdrom' || source.endsWith('.iso') || readOnly === true) continue;
    const same = named.get(real(source));
    if (same !== undefined) {
      build.refuse(
        'disk-twice',
        `Cannot give ${source} to ${run.guest} as [disk ${label}]: it is that of [disk ${same}]`,
        'Two drives of one disk destroy it; name another one',
      );
    }
    named.set(real(source), label);
  }
  for (const { pid, guest, uuid: other, files } of picture.running) {
    if (guest === run.guest || other === uuid) {
      build.refuse(
        'running',
        `Cannot start ${run.guest}: it runs already, as process ${pid}`,
        `passqemu stop ${run.guest} ends it`,
      );
      continue;
    }
    const name = guest ?? `QEMU (process ${pid})`;
    for (const { label, source, type, readOnly } of run.disks) {
      const isShared = type === 'cdrom' || source?.endsWith('.iso') === true || readOnly === true;
      if (source === null || isShared || !files.has(real(source))) continue;
      build.refuse(
        'disk-in-use',
        `Cannot give ${source} to ${run.guest} as [disk ${label}]: ${name} has it`,
        `Stop ${name} first, or give each a disk of its own`,
      );
    }
    if (files.has(real(picture.variables.path))) {
      build.refuse(
        'disk-in-use',
        `Cannot use ${picture.variables.path} as the variables of ${run.guest}: ${name} has it`,
        'Give each guest variables of its own',
      );
    }
  }
}
