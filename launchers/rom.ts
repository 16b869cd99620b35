import { readHeldSteps } from '../lib/apply/held.ts';
import { readCallerFile, writeCallerFile } from '../lib/host/caller-files.ts';
import { readCardRom } from '../lib/host/card-rom.ts';
import { readPciFunction } from '../lib/host/pci-function.ts';
import {
  compareRomWithCard,
  LARGEST_ROM_BYTES,
  type OptionRom,
  parseOptionRom,
} from '../lib/inputs/option-rom.ts';
import { HostError, RefusedError, UsageError } from '../lib/words/errors.ts';
import type { PciAddress } from '../lib/words/pci-address.ts';
import { heldOf } from '../lib/words/step.ts';
import { parseAddressWord } from './address-word.ts';
import type { CommandLine } from './command-line.ts';
import type { Globals } from './globals.ts';
import { formatRom, romReport } from './rom-text.ts';

/** `passqemu rom dump ADDR FILE` and `rom check FILE`: saves a card's video BIOS, or says whether a file can be one. */
export async function rom(line: CommandLine, globals: Globals): Promise<number> {
  const [act, ...words] = line.words;
  const [first, second] = words;
  if (act === 'check' && first !== undefined && second === undefined) return check(first, line, globals);
  if (act === 'dump' && first !== undefined && second !== undefined)
    return dump(first, second, line, globals);
  throw new UsageError(
    'passqemu rom takes "dump ADDRESS FILE" or "check FILE"',
    'passqemu rom --help shows them',
  );
}

function check(file: string, line: CommandLine, globals: Globals): number {
  const path = file.startsWith('/') ? file : `${process.cwd()}/${file}`;
  const card = line.value('card');
  const judged = judge(
    readCallerFile(path, 4 * LARGEST_ROM_BYTES),
    globals,
    card === null ? null : parseAddressWord(card),
  );
  if (globals.json) globals.out(JSON.stringify(romReport(judged), null, 2));
  else globals.out(formatRom(path, judged, globals.colour));
  return judged.valid ? 0 : 1;
}

function dump(word: string, file: string, line: CommandLine, globals: Globals): number {
  const { host, stateDir } = globals;
  if (host.root !== '/' && !globals.stateDirGiven)
    throw new UsageError(
      `passqemu rom dump asks the card itself, ${host.root} is a recorded machine`,
      'Run it on the machine that has the card',
    );
  const address = parseAddressWord(word);
  const path = file.startsWith('/') ? file : `${process.cwd()}/${file}`;
  if (readPciFunction(host, address) === null)
    throw new HostError(`Cannot read the ROM of ${address}: no such PCI function`, { code: 'ENODEV' });
  const holder = heldOf(readHeldSteps(host, stateDir).held, 'driver').find(
    ({ step }) => step.address === address,
  );
  if (holder !== undefined)
    throw new RefusedError(
      `Cannot read the ROM of ${address}: guest ${holder.guest} has it, and reading switches what the card shows`,
      [],
      `Stop ${holder.guest} first (passqemu status)`,
    );
  const bytes = readCardRom(host, address, LARGEST_ROM_BYTES);
  writeCallerFile(path, bytes, line.has('force'));
  const judged = judge(bytes, globals, address);
  if (globals.json)
    globals.out(
      JSON.stringify({ address, file: path, sizeBytes: bytes.length, ...romReport(judged) }, null, 2),
    );
  else globals.out(formatRom(path, judged, globals.colour));
  if (!judged.valid)
    globals.err(
      `passqemu: ${path} is saved, but a guest cannot use it as it is: a card that the machine started on often shows a changed copy`,
    );
  return 0;
}

/** A ROM of another card than the named one is as bad as a broken one. */
function judge(bytes: Buffer, { host }: Globals, card: PciAddress | null): OptionRom {
  const judged = parseOptionRom(bytes);
  if (card === null) return judged;
  const fn = readPciFunction(host, card);
  if (fn === null)
    throw new HostError(`Cannot compare with ${card}: no such PCI function`, { code: 'ENODEV' });
  const others = compareRomWithCard(judged, fn);
  return { ...judged, valid: judged.valid && others.length === 0, problems: [...judged.problems, ...others] };
}
