import type { LoginSession } from '../host/login-sessions.ts';
import type { Refusal } from '../words/errors.ts';
import { listed } from './device-input.ts';
import type { Leavers } from './display-holders.ts';
import { type DisplayInput, displaysOf } from './display-input.ts';

/** Why the display must not be handed over now, all reasons. */
export function refuseHandover(input: DisplayInput, leavers: Leavers): Refusal[] {
  const { picture, wishes, held } = input;
  const refusals: Refusal[] = [...refuseClaims(input), ...leavers.stay];
  if (wishes.sessions === 'refuse' && leavers.sessions.length > 0) {
    refusals.push({
      id: 'logged-in',
      summary: `Cannot hand the display over: ${listed(leavers.sessions.map(sessionWords), 4)} would lose it, nobody must be logged in`,
      remedy:
        'Log out, or write "sessions = end" under [handover]: what is open in these sessions is then lost',
    });
  }
  const manager = picture.manager;
  const isHeld = held.some(({ step }) => step.kind === 'unit' && step.unit === manager?.unit);
  if (leavers.needsManager && manager?.isRunning !== true && !isHeld) {
    refusals.push({
      id: 'unknown-manager',
      summary:
        'Cannot hand the display over: a log-in screen has the card, and the unit that shows it is not known',
      remedy:
        'Give it the alias display-manager.service (systemctl enable does that for most), or stop it by hand',
    });
  }
  const needsSystemd = leavers.units.length > 0 || leavers.sessions.length > 0;
  if (needsSystemd && !picture.hasSystemd) {
    refusals.push({
      id: 'no-systemd',
      summary:
        'Cannot hand the display over: units and sessions hold the card, and systemd does not run here',
      remedy: 'Stop what holds the card with a prepare-first command of your own',
    });
  }
  const mine = ownPlace(picture.ownCgroup, leavers, picture.manager?.cgroup ?? null);
  if (mine !== null) {
    refusals.push({
      id: 'own-session',
      summary: `Cannot hand the display over from ${mine}: this very process would be ended with it`,
      remedy:
        'Start the guest with virsh or virt-manager (libvirt runs the hook), log in over SSH, or use passqemu prepare --rehearse, which moves out first',
    });
  }
  return refusals;
}

/**
 * A frame buffer of the firmware's keeps a part of the card's memory, and VFIO then cannot have that BAR. vfio-pci sends it away by
 * itself only where the card is a VGA controller (class 0300). Its driver can be unbound, but what the device itself claims stays.
 */
export function refuseClaims(input: DisplayInput): Refusal[] {
  const others = new Set(
    displaysOf(input)
      .filter(({ classCode }) => classCode?.startsWith('0300') !== true)
      .map(({ address }) => address),
  );
  return input.picture.firmware
    .filter(({ address }) => address !== null && others.has(address))
    .filter(({ driver, claims }) => claims || (driver !== null && !input.wishes.display))
    .map(({ device, driver, address, claims }) => ({
      id: 'framebuffer-claims',
      summary: `Cannot take ${address}: ${device} (${driver ?? 'no driver'}) has a part of its memory, nothing may`,
      remedy: claims
        ? "Boot with initcall_blacklist=sysfb_init, or let the card's own driver have it first, which sends that away"
        : 'Write "display = yes" under [handover], or boot with initcall_blacklist=sysfb_init',
    }));
}

/** "alice (session 3, wayland on seat0)". */
export function sessionWords({ id, user, type, seat }: LoginSession): string {
  return `${user} (session ${id}, ${type}${seat === null ? '' : ` on ${seat}`})`;
}

/** Where this process itself runs, if that is something that will be stopped. */
function ownPlace(own: string, leavers: Leavers, manager: string | null): string | null {
  const isBelow = (folder: string) => own === folder || own.startsWith(`${folder}/`);
  for (const { id, uid, user } of leavers.sessions) {
    if (own.includes(`/session-${id}.scope`)) return `session ${id} of ${user}`;
    if (uid !== null && own.includes(`/user@${uid}.service/`)) return `the session of ${user}`;
  }
  for (const { unit, cgroup } of leavers.units) if (isBelow(cgroup)) return unit;
  return leavers.needsManager && manager !== null && isBelow(manager) ? 'the display manager' : null;
}
