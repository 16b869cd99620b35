import type { GuestInputs } from '../lib/apply/guest.ts';
import { readRunGuest } from '../lib/apply/run-guest.ts';
import { chosenOf } from '../lib/host/device-identity.ts';
import { findFunctions } from '../lib/host/device-search.ts';
import { type RomWish, readRomPictures } from '../lib/host/rom-pictures.ts';
import { noteRoms } from '../lib/plan/rom-notes.ts';
import type { Globals } from './globals.ts';

/** What `passqemu plan` has to say of the ROMs of the functions that a guest gets. */
export function romNotes(inputs: GuestInputs, { host, configDir }: Globals): string[] {
  const { domain, profile } = inputs;
  const files = domain === null ? romFilesOf(readRunGuest(host, configDir, profile.path)) : new Map();
  const asked = profile.devices.requests.flatMap(({ label, selector }): RomWish[] => {
    const address = chosenOf(selector, findFunctions(host, selector));
    return address === null ? [] : [{ address, file: files.get(label) ?? null }];
  });
  const given = (domain?.functions ?? []).map(({ address, romFile }) => ({ address, file: romFile }));
  const wishes = new Map([...asked, ...given].map((wish) => [wish.address, wish]));
  return noteRoms(readRomPictures(host, [...wishes.values()]));
}

function romFilesOf(run: ReturnType<typeof readRunGuest>): Map<string, string | null> {
  return new Map((run?.whole.run.devices ?? []).map(({ label, romfile }) => [label, romfile]));
}
