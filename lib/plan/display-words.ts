import { listed } from './device-input.ts';
import { sessionWords } from './display-checks.ts';
import { type DisplayInput, displaysOf, isOnlyDisplay } from './display-input.ts';
import { firmwareOn } from './firmware-on.ts';

/** What hangs on the display that is about to go, in sentences: what shows on it, what else could, who is before it, what stays away. */
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
  notes.push(...describeOthers(input), ...describeFirmware(input));
  const people = picture.sessions.filter(
    ({ seat, sessionClass }) => seat !== null && sessionClass === 'user',
  );
  if (people.length > 0) notes.push(`Logged in before a screen: ${listed(people.map(sessionWords), 6)}`);
  return notes;
}

function describeOthers(input: DisplayInput): string[] {
  if (isOnlyDisplay(input))
    return ['No other graphics card has a driver: the host shows nothing until the guest has stopped'];
  const gone = new Set(input.taken.map(({ address }) => address));
  const others = input.picture.cards.filter(({ address, driver }) => !gone.has(address) && driver !== null);
  return others.map(({ address, driver, connectors }) => {
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
