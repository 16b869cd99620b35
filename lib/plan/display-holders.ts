import type { DisplayHolder } from '../host/display-picture.ts';
import type { LoginSession } from '../host/login-sessions.ts';
import type { Refusal } from '../words/errors.ts';
import { containerOf } from './containers.ts';
import type { DisplayInput } from './display-input.ts';
import { isOnlyDisplay } from './display-input.ts';

/** Who has to go so that nobody holds the card, each once. */
export interface Leavers {
  /** The display manager: it holds the card, or what it has started does. */
  readonly needsManager: boolean;
  readonly sessions: readonly LoginSession[];
  /** Log-in screens that hold the card: most end with the display manager, some do not. */
  readonly greeters: readonly LoginSession[];
  readonly units: readonly {
    readonly unit: string;
    readonly user: string | null;
    readonly cgroup: string;
    readonly restart: boolean;
    readonly sockets?: readonly string[];
    readonly containers?: readonly string[];
  }[];
  readonly processes: readonly DisplayHolder[];
  readonly stay: readonly Refusal[];
}

/** They hold a device for somebody else (a session's compositor) and let go with it. */
const FOR_OTHERS = ['systemd-logind.service', 'seatd.service', 'init.scope', 'elogind.service'];
/** A lingering user's own audio servers: they come back as they were. */
const AUDIO = /^(?:pipewire|pipewire-pulse|pipewire-media-session|wireplumber|pulseaudio)\.service$/;

/** Sorts everybody who has a node of the taken functions open by what makes him let go. */
export function sortHolders(input: DisplayInput): Leavers {
  const { picture, wishes } = input;
  const needsManager = picture.holders.some((holder) => isOfManager(holder, picture));
  const sessions = endingSessions(input, needsManager);
  const greeters = new Map<string, LoginSession>();
  const units = new Map<string, Leavers['units'][number]>();
  const processes: DisplayHolder[] = [];
  const stay: Refusal[] = [];
  const forOthers: DisplayHolder[] = [];
  const addUnit = (unit: Leavers['units'][number]) => units.set(`${unit.user} ${unit.unit}`, unit);
  for (const holder of picture.holders) {
    const { session, unit, userUnit, cgroup } = holder;
    const mayEnd = wishes.processes.includes(holder.comm);
    const container = containerOf(holder);
    const engine = container?.unit ?? '';
    if (container !== null && wishes.units.includes(engine)) {
      const known = units.get(`null ${engine}`)?.containers ?? [];
      const containers = [...new Set([...known, container.cgroup])];
      addUnit({ unit: engine, user: null, cgroup: `/system.slice/${engine}`, restart: true, containers });
    } else if (session !== null) {
      const greeter = picture.sessions.find((one) => one.id === session && isGreeter(one));
      if (greeter !== undefined) greeters.set(session, greeter);
      else if (!sessions.has(session) && mayEnd) processes.push(holder);
      else if (!sessions.has(session)) stay.push(staysHere(holder));
    } else if (userUnit !== null) {
      const { unit: name, user, uid } = userUnit;
      const isEnding = [...sessions.values(), ...closingSessions(input)].some((one) => one.uid === uid);
      const own = { unit: name, user, cgroup: upTo(cgroup, name) };
      // The manager of a log-in screen's user stays for some time (UserStopDelaySec= in logind.conf(5))
      if (isOfManager(holder, picture)) addUnit(managerOf(uid));
      else if (isEnding) addUnit({ ...own, restart: false });
      else if (AUDIO.test(name) || wishes.units.includes(name))
        addUnit({ ...own, restart: true, ...socketsOf(holder) });
      else if (mayEnd) processes.push(holder);
      else stay.push(container === null ? staysUser(holder, name) : staysHere(holder));
    } else if (isOfManager(holder, picture)) continue;
    else if (unit !== null && FOR_OTHERS.includes(unit)) forOthers.push(holder);
    // Before its processes: what systemd restarts would have the card again
    else if (unit?.endsWith('.service') && wishes.units.includes(unit))
      addUnit({ unit, user: null, cgroup: upTo(cgroup, unit), restart: true });
    else if (mayEnd) processes.push(holder);
    else stay.push(staysHere(holder));
  }
  const somebodyGoes = needsManager || sessions.size + units.size + processes.length > 0;
  if (!somebodyGoes) stay.push(...forOthers.map(staysHere));
  return {
    needsManager,
    sessions: [...sessions.values()],
    greeters: [...greeters.values()],
    units: [...units.values()],
    processes,
    stay,
  };
}

/** Whether a holder is the display manager's: its own process, something of a log-in screen, or of the manager of a user who is there for nothing else. */
function isOfManager(
  { session, unit, userUnit, lingers }: DisplayHolder,
  { sessions, manager }: DisplayInput['picture'],
): boolean {
  if (unit !== null) return unit === manager?.unit;
  if (session !== null) return sessions.some((one) => one.id === session && isGreeter(one));
  // From systemd 256 on a user's manager has a session of its own
  const own = sessions.filter(
    ({ uid, sessionClass }) => uid === userUnit?.uid && !/^manager/.test(sessionClass),
  );
  return lingers !== true && own.length > 0 && own.every(({ sessionClass }) => sessionClass === 'greeter');
}

/**
 * The sessions that end, by number: of people before the screens that go dark; where another card keeps a display, of those whose
 * programs have this one open, unless these may be ended alone; and with the display manager every desktop goes that it has started.
 */
function endingSessions(input: DisplayInput, needsManager: boolean): Map<string, LoginSession> {
  const { picture, wishes } = input;
  const before = picture.sessions.filter(
    (one) => one.seat !== null && !isGreeter(one) && one.state !== 'closing',
  );
  const ending = new Map<string, LoginSession>();
  const add = (session: LoginSession) => ending.set(session.id, session);
  if (isOnlyDisplay(input)) before.forEach(add);
  for (const holder of picture.holders) {
    const { session, userUnit, comm } = holder;
    if (isOfManager(holder, picture) || wishes.processes.includes(comm)) continue;
    if (containerOf(holder) !== null) continue;
    if (session !== null)
      add(picture.sessions.find(({ id }) => id === session) ?? unknownSession(holder, session));
    else if (userUnit !== null && !AUDIO.test(userUnit.unit) && !wishes.units.includes(userUnit.unit))
      before.filter(({ uid }) => uid === userUnit.uid).forEach(add);
  }
  if (picture.manager?.isRunning === true && (needsManager || ending.size > 0))
    before.filter(({ type, service }) => type !== 'tty' || service !== 'login').forEach(add);
  return ending;
}

/** Those that are over but for processes that take their time. */
function closingSessions({ picture }: DisplayInput): LoginSession[] {
  return picture.sessions.filter(({ seat, state }) => seat !== null && state === 'closing');
}

function managerOf(uid: number): Leavers['units'][number] {
  const unit = `user@${uid}.service`;
  return { unit, user: null, cgroup: `/user.slice/user-${uid}.slice/${unit}`, restart: false };
}

/** The log-in screen's own session, which ends with the display manager. */
function isGreeter({ sessionClass }: LoginSession): boolean {
  return sessionClass === 'greeter' || sessionClass === 'lock-screen';
}

function unknownSession({ user, cgroup }: DisplayHolder, id: string): LoginSession {
  const uid = /\/user-(\d{1,10})\.slice\//.exec(cgroup)?.[1];
  return {
    id,
    uid: uid === undefined ? null : Number(uid),
    user,
    seat: null,
    type: 'unspecified',
    sessionClass: 'user',
    state: 'active',
    isRemote: false,
    service: null,
    tty: null,
    scope: `session-${id}.scope`,
  };
}

function socketsOf({ sockets = [] }: DisplayHolder): { readonly sockets?: readonly string[] } {
  return sockets.length > 0 ? { sockets } : {};
}

/** The cgroup of a unit that lies somewhere on the path. */
function upTo(cgroup: string, unit: string): string {
  const at = cgroup.indexOf(`/${unit}`);
  return at < 0 ? cgroup : cgroup.slice(0, at + unit.length + 1);
}

function staysHere(holder: DisplayHolder): Refusal {
  const { comm, pid, unit, user } = holder;
  const container = containerOf(holder);
  const whose = container?.words ?? unit ?? user;
  return {
    id: 'holder-stays',
    summary: `Cannot hand the display over: ${comm} (process ${pid} of ${whose}) has the card open, and nothing allows to stop it`,
    remedy:
      container !== null
        ? `Stop the container (${container.stop}), by hand or with a prepare-first command${container.unit === null ? '' : `, or write "units = ${container.unit}" under [handover], which stops all of them`}`
        : unit?.endsWith('.service')
          ? `Write "units = ${unit}" under [handover], or "processes = ${comm}"`
          : `Stop it, or write "processes = ${comm}" under [handover]`,
  };
}

function staysUser({ comm, pid, user }: DisplayHolder, unit: string): Refusal {
  return {
    id: 'holder-stays',
    summary: `Cannot hand the display over: ${comm} (process ${pid} of ${user}'s ${unit}) has the card open, and nothing allows to stop it`,
    remedy: `Write "units = ${unit}" under [handover], or stop it (systemctl --user stop ${unit})`,
  };
}
