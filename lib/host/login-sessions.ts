import { visible } from '../inputs/parsed.ts';
import type { Host } from './host.ts';

/** A session of systemd-logind, as far as it matters who sits before which screen. */
export interface LoginSession {
  readonly id: string;
  readonly uid: number | null;
  readonly user: string;
  /** "seat0"; null for a remote one. */
  readonly seat: string | null;
  /** "x11", "wayland", "tty"… */
  readonly type: string;
  /** "user", "greeter", "manager"… */
  readonly sessionClass: string;
  /** "active", "online", "closing". */
  readonly state: string;
  readonly isRemote: boolean;
  /** "gdm-password", "login": what PAM calls the program that made it. */
  readonly service: string | null;
  /** The text console that somebody logged in on: "tty1". */
  readonly tty: string | null;
  /** "session-3.scope". */
  readonly scope: string | null;
}

const FOLDER = '/run/systemd/sessions';

/** The sessions that logind knows, from its own files: asking it would need a program. See sd-login(3), systemd-logind.service(8). */
export function readLoginSessions(host: Host): LoginSession[] {
  return host
    .list(FOLDER)
    .filter((name) => /^[A-Za-z0-9]{1,32}$/.test(name))
    .flatMap((id) => {
      const text = host.readOptional(`${FOLDER}/${id}`);
      return text === null ? [] : [parseLoginSession(id, text)];
    });
}

/** Reads one of logind's files: KEY=value lines, a comment before them. */
export function parseLoginSession(id: string, text: string): LoginSession {
  const facts = new Map<string, string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    if (at > 0 && !line.startsWith('#')) facts.set(line.slice(0, at), visible(line.slice(at + 1)));
  }
  const uid = facts.get('UID') ?? '';
  return {
    id,
    uid: /^\d{1,10}$/.test(uid) ? Number(uid) : null,
    user: facts.get('USER') ?? (uid === '' ? '?' : `user ${uid}`),
    seat: facts.get('SEAT') ?? null,
    type: facts.get('TYPE') ?? 'unspecified',
    sessionClass: facts.get('CLASS') ?? 'user',
    state: facts.get('STATE') ?? (facts.get('ACTIVE') === '1' ? 'active' : 'online'),
    isRemote: facts.get('REMOTE') === '1',
    service: facts.get('SERVICE') ?? null,
    tty: /^tty\d{1,2}$/.exec(facts.get('TTY') ?? '')?.[0] ?? null,
    scope: facts.get('SCOPE') ?? null,
  };
}

/** The name of a user by number, from /etc/passwd; the number where it has none there. */
export function readUserName(host: Host, uid: number): string {
  const line = (host.readOptional('/etc/passwd') ?? '')
    .split('\n')
    .find((one) => one.split(':')[2] === `${uid}`);
  const name = line?.split(':')[0] ?? '';
  return /^[a-z_][a-z0-9_.-]{0,63}\$?$/i.test(name) ? name : `${uid}`;
}
