import type { Host } from './host.ts';

/** A driver for text consoles: "(S) dummy device", which stays, or "(M) frame buffer device", which can be unbound. */
export interface VtConsole {
  /** "vtcon1"; the number changes. */
  readonly id: string;
  readonly name: string;
  readonly isFrameBuffer: boolean;
  readonly bound: boolean;
}

const FOLDER = '/sys/class/vtconsole';

/** The console drivers of this machine. See Documentation/driver-api/console.rst. */
export function readVtConsoles(host: Host): VtConsole[] {
  return host.list(FOLDER).flatMap((id) => {
    const name = host.readOptional(`${FOLDER}/${id}/name`);
    if (name === null) return [];
    const bound = host.readOptional(`${FOLDER}/${id}/bind`) === '1';
    return [{ id, name, isFrameBuffer: /^\(M\) frame buffer/.test(name), bound }];
  });
}

/** The one of that name, or null. */
export function findVtConsole(host: Host, name: string): VtConsole | null {
  return readVtConsoles(host).find((one) => one.name === name) ?? null;
}
