import type { DisplayHolder } from '../host/display-picture.ts';
import { containerOf } from './containers.ts';
import { listed } from './device-input.ts';
import { sessionWords } from './display-checks.ts';
import type { Leavers } from './display-holders.ts';
import { type DisplayInput, displaysOf, isOnlyDisplay, otherDisplays } from './display-input.ts';
import { firmwareOn } from './firmware-on.ts';

/**
 * What hangs on the display that is about to go, in sentences: what shows on it, what else could, which modules drive it, who has it open,
 * who is before it, what stays away.
 */
export function describeDisplay(input: DisplayInput): string[] {
  const { picture } = input;
  const displays = displaysOf(input);
  const notes: string[] = [];
  for (const { address } of displays) {
    const card = picture.cards.find((one) => one.address === address);
    const screens = card?.connectors.filter(({ connected }) => connected).map(({ name }) => name) ?? [];
    const frameBuffers = picture.frameBuffers
      .filter((one) => one.address === address)
      .map(({ id, name }) => `${id} (${name})`);
    const facts = [
      card?.driver === null || card === undefined ? 'no driver has it' : `${card.driver} drives it`,
      screens.length > 0 ? `a screen is on ${listed(screens)}` : 'no screen is on it',
      ...(frameBuffers.length > 0 ? [`the text consoles can be on ${listed(frameBuffers)}`] : []),
    ];
    notes.push(`${address}: ${facts.join(', ')}`);
  }
  if (displays.length === 0) return notes;
  notes.push(...describeOthers(input), ...describeFirmware(input), ...describeModules(input));
  const { holders } = picture;
  if (holders.length > 0) notes.push(`What the guest gets is open in ${listed(holders.map(holderWords), 6)}`);
  const people = picture.sessions.filter(
    ({ seat, sessionClass }) => seat !== null && sessionClass === 'user',
  );
  if (people.length > 0) notes.push(`Logged in before a screen: ${listed(people.map(sessionWords), 6)}`);
  return notes;
}

/** "Xorg (process 812 of root, session 2)": down to the session or unit that will have to let go. */
function holderWords(holder: DisplayHolder): string {
  const { comm, pid, user, session, unit, userUnit } = holder;
  const own = userUnit === null ? null : `${userUnit.unit} of ${userUnit.user}`;
  const place = session === null ? (containerOf(holder)?.words ?? own ?? unit) : `session ${session}`;
  return `${comm} (process ${pid} of ${user}${place === null ? '' : `, ${place}`})`;
}

/** Only where modules stand on the driver's: one alone goes or stays with its card. */
function describeModules({ picture }: DisplayInput): string[] {
  return [...picture.modules]
    .filter(([, stack]) => stack.length > 1)
    .map(([driver, stack]) => {
      const names = stack.map(({ name, useCount }) => `${name} (users: ${useCount ?? '?'})`);
      return `${driver} is loaded as ${names.join(' on ')}`;
    });
}

function describeOthers(input: DisplayInput): string[] {
  if (isOnlyDisplay(input))
    return ['No other graphics card has a driver: the host shows nothing until the guest has stopped'];
  return otherDisplays(input).map(({ address, driver, connectors }) => {
    const screens = connectors.filter(({ connected }) => connected).map(({ name }) => name);
    return `${address} (${driver}) can keep the host's display${screens.length > 0 ? `, with a screen on ${listed(screens)}` : ', but no screen is on it'}`;
  });
}

function describeFirmware(input: DisplayInput): string[] {
  return firmwareOn(input).map(
    ({ device, driver }) =>
      `${device} (${driver}) has the picture that the firmware set up: once VFIO has had the card it is gone until the next boot, and without a graphics driver the screen then stays dark`,
  );
}

/** Desktops that were started from a text console (startx, sway): where that logs in by itself, it starts the next one at once. */
export function noteTextLogins({ picture }: DisplayInput, { sessions }: Leavers): string[] {
  const holding = new Set(picture.holders.map(({ session }) => session));
  return sessions
    .filter(({ id, service, tty }) => service === 'login' && tty !== null && holding.has(id))
    .map(
      (session) =>
        `${sessionWords(session)} was started from ${session.tty}: if somebody is logged in there by itself (agetty --autologin), stop getty@${session.tty}.service with a prepare-first command and start it with a release-last command, else the next desktop may take the card again`,
    );
}
