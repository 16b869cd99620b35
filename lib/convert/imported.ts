import type { DeviceIdentity } from '../inputs/profile.ts';
import { parseRunProfile } from '../inputs/read-run-profile.ts';
import { ProfileError, type ProfileProblem } from '../words/errors.ts';
import type { PciAddress } from '../words/pci-address.ts';
import type { DropList, Dropped } from './dropped.ts';
import type { ProfileDraft } from './profile-draft.ts';

/** What an import makes: the text of a profile, and what did not get into it. */
export interface Imported {
  readonly guest: string;
  readonly profile: string;
  readonly dropped: readonly Dropped[];
}

/** What the host knows of things that the other form only points at. */
export interface ImportHost {
  /** The UUID that a guest of this name has anyway. */
  usualUuid(guest: string): string;
  /** Kind, identity and a comment for a function's line. */
  about(address: PciAddress): {
    readonly kind: string;
    readonly identity: DeviceIdentity | null;
    readonly comment: string;
  };
  /** The functions of a slot ("0000:01:00") that are there now. */
  functionsOf(slot: string): readonly PciAddress[];
}

/** Writes the draft out; what the profile's own reader refuses is taken out again and told. */
export function finishImport(guest: string, draft: ProfileDraft, dropList: DropList): Imported {
  const comments = [`passqemu profile of ${guest}`, 'What each key means: docs/profile.md.'];
  for (;;) {
    const profile = draft.format(comments);
    try {
      parseRunProfile(profile, { guest, path: 'the profile' });
      return { guest, profile, dropped: dropList.all };
    } catch (error) {
      if (!(error instanceof ProfileError) || !takeOut(error.problems, draft, dropList)) throw error;
    }
  }
}

/** Removes what is wrong; whether anything was there to be removed. */
function takeOut(problems: readonly ProfileProblem[], draft: ProfileDraft, dropList: DropList): boolean {
  let isChanged = false;
  for (const { section, key, what } of problems) {
    if (section === null || !draft.remove(section, key)) continue;
    isChanged = true;
    dropList.add(`[${section}]${key === null ? '' : ` ${key}`}`, `the profile does not take it: it ${what}`);
  }
  return isChanged;
}
