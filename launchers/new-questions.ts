import { DropList } from '../lib/convert/dropped.ts';
import { ProfileDraft } from '../lib/convert/profile-draft.ts';
import { sizeText } from '../lib/convert/size-text.ts';
import type { Topology } from '../lib/host/topology.ts';
import type { DeviceIdentity } from '../lib/inputs/profile.ts';
import { formatDeviceRequest } from '../lib/inputs/selector.ts';
import { planPin } from '../lib/plan/pin.ts';
import type { Pinning } from '../lib/plan/pinning.ts';
import { type CpuSet, formatCpuList } from '../lib/words/cpu-list.ts';
import { RefusedError } from '../lib/words/errors.ts';
import type { PciAddress } from '../lib/words/pci-address.ts';
import { parseSizeKib } from '../lib/words/size.ts';
import type { Ask, Choice } from './ask.ts';
import type { Card } from './new-cards.ts';

/** What the questions and their proposals are made from. */
export interface NewGuestHost {
  readonly cards: readonly Card[];
  readonly topology: Topology;
  readonly taken: ReadonlyMap<string, CpuSet>;
  readonly memoryKib: number | null;
  identityOf(address: PciAddress): DeviceIdentity | null;
  exists(path: string): boolean;
}

const GIB = 1024 ** 2;

/** Asks for everything a guest needs, with a proposal for each, and gives the text of its profile. */
export async function askGuest(guest: string, host: NewGuestHost, ask: Ask): Promise<string> {
  const draft = new ProfileDraft(new DropList());
  const os = await ask.one('What will run in it?', SYSTEMS, 'windows');
  draft.put('machine', 'os', os);
  const cards = await askCards(host, ask);
  writeCards(cards, host, draft);
  await askCpus(cards, host, ask, draft);
  await askMemory(cards.length > 0, host, ask, draft);
  await askFirmware(os, ask, draft);
  await askDisks(os, host, ask, draft);
  const hasGpu = cards.some(({ kind }) => kind === 'display');
  const display = await ask.one('Where is its screen?', DISPLAYS, hasGpu ? 'none' : 'spice');
  draft.put('display', 'type', display);
  draft.set(
    'network net',
    'type',
    'user',
    'QEMU’s own network; type = bridge and bridge = br0 make it a machine of yours',
  );
  return draft.format([
    `passqemu profile of ${guest}, made by passqemu new`,
    `passqemu plan ${guest} shows what its start will change, passqemu run ${guest} starts it.`,
    'What each key means: docs/profile.md.',
  ]);
}

type System = 'windows' | 'linux' | 'other';
const SYSTEMS: readonly Choice<System>[] = [
  { value: 'windows', label: 'Windows', hint: 'Hyper-V enlightenments, clock in local time' },
  { value: 'linux', label: 'Linux' },
  { value: 'other', label: 'Something else' },
];
const DISPLAYS: readonly Choice<string>[] = [
  { value: 'none', label: 'On the graphics card that it gets, or nowhere' },
  { value: 'spice', label: 'In a viewer, by SPICE' },
  { value: 'gtk', label: 'In a window of QEMU’s' },
];

async function askCards({ cards }: NewGuestHost, ask: Ask): Promise<readonly Card[]> {
  if (cards.length === 0) {
    ask.tell('This machine shows no PCI cards that could be given to a guest.');
    return [];
  }
  const choiceOf = (card: Card): Choice<Card> => ({
    value: card,
    label: `${card.functions[0]} ${card.name}`,
    hint: card.concerns.join('; '),
  });
  const gpus = cards.filter(({ kind }) => kind === 'display');
  const others = cards.filter(({ kind }) => kind !== 'display');
  const best = gpus.filter(({ concerns }) => concerns.length === 0).slice(-1);
  const gpu =
    gpus.length === 0 ? [] : await ask.some('Which graphics cards does it get?', gpus.map(choiceOf), best);
  const which = gpus.length === 0 ? 'Which cards does it get?' : 'And which other cards?';
  const other = others.length === 0 ? [] : await ask.some(which, others.map(choiceOf), []);
  return [...gpu, ...other];
}

/** All functions of a card, with what must be found at their addresses, and what speaks against them. */
function writeCards(cards: readonly Card[], host: NewGuestHost, draft: ProfileDraft): void {
  for (const card of cards) {
    const word = { display: 'gpu', network: 'nic' }[card.kind as string] ?? card.kind;
    for (const [at, address] of card.functions.entries()) {
      const request = formatDeviceRequest({
        selector: { by: 'address', address },
        identity: host.identityOf(address),
      });
      const about = [card.name, ...card.concerns].join('; ');
      draft.set(
        'devices',
        draft.freeLabel('devices', at === 0 ? word : `${word}-${at}`),
        request,
        at === 0 ? about : null,
      );
    }
  }
}

async function askCpus(
  cards: readonly Card[],
  host: NewGuestHost,
  ask: Ask,
  draft: ProfileDraft,
): Promise<void> {
  const first = cards[0];
  const device = first === undefined ? null : { address: first.functions[0]!, node: first.node };
  const { topology, taken } = host;
  const propose = (vcpus: number | null): Pinning | string => {
    try {
      return planPin({ topology, taken, wish: { vcpus, smt: 'keep', largeCache: false, device } });
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      return error.message;
    }
  };
  const usual = propose(null);
  if (typeof usual === 'string') {
    ask.tell(usual);
    draft.set('machine', 'vcpus', '2', 'no CPUs are set apart for it: this machine has too few');
    return;
  }
  const check = (text: string): string | null => {
    if (!/^[1-9]\d{0,3}$/.test(text)) return 'A number';
    const proposal = propose(Number(text));
    return typeof proposal === 'string' ? proposal : null;
  };
  const count = await ask.text('How many vCPUs?', { proposed: String(usual.vcpus.length), check });
  const pinning = propose(Number(count)) as Pinning;
  draft.set('cpu', 'guest', formatCpuList(pinning.guest), pinning.reasons.join(' '));
  draft.set('cpu', 'pins', pinning.vcpus.join(' '));
  if (pinning.emulator.length > 0) draft.set('cpu', 'emulator', formatCpuList(pinning.emulator));
  draft.set('machine', 'cores', String(pinning.cores));
  draft.put('machine', 'threads', pinning.threads, '1');
}

async function askMemory(
  pinsIt: boolean,
  { memoryKib }: NewGuestHost,
  ask: Ask,
  draft: ProfileDraft,
): Promise<void> {
  const half = memoryKib === null ? 4 : Math.max(1, Math.floor(memoryKib / 2 / GIB));
  const check = (text: string): string | null => {
    const kib = parseSizeKib(text);
    if (kib === null) return 'A size with its unit, such as 8G';
    if (kib < 1024) return 'At least 1M';
    return memoryKib !== null && kib >= memoryKib ? 'The host has no more than that itself' : null;
  };
  const size = await ask.text('How much memory?', { proposed: `${half}G`, check });
  const kib = parseSizeKib(size)!;
  draft.set('machine', 'memory', sizeText(kib));
  const isWhole = kib % 2048 === 0;
  if (isWhole && (await ask.yes('In huge pages? They are faster, and the host cannot swap them.', pinsIt)))
    draft.set('memory', 'hugepages', '2M', 'taken when the guest starts, given back when it ends');
}

async function askFirmware(os: System, ask: Ask, draft: ProfileDraft): Promise<void> {
  const type = await ask.one('Which firmware?', FIRMWARE, os === 'windows' ? 'secure' : 'uefi');
  draft.put('firmware', 'type', type === 'bios' ? 'bios' : 'uefi');
  if (type === 'secure') draft.set('firmware', 'secure-boot', 'yes', 'Windows 11 asks for it, and for a TPM');
  if (type !== 'bios' && (await ask.yes('With a TPM?', type === 'secure'))) draft.set('tpm', 'type', 'swtpm');
}

const FIRMWARE: readonly Choice<'uefi' | 'secure' | 'bios'>[] = [
  { value: 'uefi', label: 'UEFI' },
  { value: 'secure', label: 'UEFI with Secure Boot' },
  { value: 'bios', label: 'BIOS', hint: 'for old systems' },
];

async function askDisks(os: System, host: NewGuestHost, ask: Ask, draft: ProfileDraft): Promise<void> {
  const check = (text: string): string | null => {
    if (text === '') return null;
    if (!text.startsWith('/') || text.split('/').includes('..')) return 'A whole path, from / on, or nothing';
    return host.exists(text) ? null : 'There is no such file; qemu-img create -f qcow2 FILE 64G makes a disk';
  };
  const disk = await ask.text('Its disk: an image or a block device (empty: none)', { proposed: '', check });
  const iso = await ask.text('An ISO to install from (empty: none)', { proposed: '', check });
  if (disk !== '') {
    draft.set('disk system', 'source', disk);
    // Windows has no driver for virtio on its ISO
    if (os === 'windows')
      draft.set(
        'disk system',
        'bus',
        'sata',
        'Windows can install on it; virtio is faster, once its drivers are there',
      );
    draft.set('disk system', 'boot', iso === '' ? '0' : '1');
  }
  if (iso === '') return;
  draft.set('disk cd', 'type', 'cdrom');
  draft.set('disk cd', 'source', iso);
  draft.set('disk cd', 'boot', '0');
}
