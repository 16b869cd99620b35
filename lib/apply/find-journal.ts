import type { Journal } from './journal-text.ts';

/** The guest's journal: by UUID first, else by name where the UUIDs do not contradict. */
export function findJournal(
  journals: readonly Journal[],
  { guest, uuid }: { guest: string; uuid: string | null },
): Journal | null {
  const byUuid = uuid === null ? undefined : journals.find((journal) => journal.header.uuid === uuid);
  const agrees = (journal: Journal) =>
    uuid === null || journal.header.uuid === null || journal.header.uuid === uuid;
  return byUuid ?? journals.find((journal) => journal.header.guest === guest && agrees(journal)) ?? null;
}
