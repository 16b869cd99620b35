import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import type { Globals } from '../../../launchers/globals.ts';
import { romNotes } from '../../../launchers/plan-roms.ts';
import type { GuestInputs } from '../../../lib/apply/guest.ts';
import { readGuest } from '../../../lib/apply/guest.ts';
import { RealHost } from '../../../lib/host/real-host.ts';
import { type MadeImage, makeRom } from '../../fake/option-rom-maker.ts';

const folder = mkdtempSync(join(tmpdir(), 'passqemu-plan-rom-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const GPU = '0000:01:00.0';
const MINE: MadeImage = { type: 'efi', vendor: 0x10de, device: 0x2684 };

/** A machine with one graphics card, a profile in its own folder, and the notes that `plan` then has. */
function notesOf(
  name: string,
  files: Readonly<Record<string, string | Buffer>>,
  profile: string,
  domain: string | null,
): string[] {
  const root = join(folder, name);
  const card = `sys/devices/pci0000:00/${GPU}`;
  const all = {
    [`${card}/vendor`]: '0x10de',
    [`${card}/device`]: '0x2684',
    [`${card}/subsystem_vendor`]: '0x10de',
    [`${card}/subsystem_device`]: '0x0001',
    [`${card}/class`]: '0x030000',
    [`${card}/boot_vga`]: '1',
    [`${card}/rom`]: '',
    'config/win.ini': profile,
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text, { mode: 0o644 });
  }
  mkdirSync(join(root, 'sys/bus/pci/devices'), { recursive: true });
  symlinkSync(join(root, card), join(root, `sys/bus/pci/devices/${GPU}`));
  const configDir = join(root, 'config');
  const host = new RealHost(root, () => {}, [configDir]);
  const inputs = readGuest(host, configDir, 'win', () => domain) as GuestInputs;
  return romNotes(inputs, { host, configDir } as unknown as Globals);
}

const gpu = `[devices]\ngpu = ${GPU}\n`;
const run = (file: string) => `${gpu}[machine]\ntype = q35\n[device gpu]\nromfile = ${file}\n`;
const xml = (file: string) => `<domain><name>win</name><devices><hostdev mode='subsystem' type='pci'>
  <source><address domain='0' bus='1' slot='0' function='0'/></source><rom file='${file}'/></hostdev></devices></domain>`;
const uefi = { 'sys/firmware/efi/fw_platform_size': '64' };

const cases: readonly [
  string,
  Parameters<typeof notesOf> extends [string, ...infer R] ? R : never,
  RegExp | null,
][] = [
  ['a good ROM of the profile', [{ 'a.rom': makeRom(MINE) }, run('/a.rom'), null], null],
  ['a good ROM of the domain', [{ 'a.rom': makeRom(MINE) }, gpu, xml('/a.rom')], null],
  [
    'another card’s ROM',
    [{ 'a.rom': makeRom({ ...MINE, device: 0x1b80 }) }, run('/a.rom'), null],
    /its ROM file \/a\.rom is not one for this card: .* is for 10de:1b80.*passqemu rom check \/a\.rom --card 0000:01:00\.0/,
  ],
  [
    'a broken ROM of the domain',
    [{ 'a.rom': Buffer.alloc(1024, 1) }, gpu, xml('/a.rom')],
    /its ROM file \/a\.rom is not one for this card: .*must begin with 55aa/,
  ],
  [
    'a ROM for legacy BIOS only',
    [{ 'a.rom': makeRom({ ...MINE, type: 'x86' }) }, run('/a.rom'), null],
    /\/a\.rom has no UEFI driver/,
  ],
  ['a file that is not there', [{}, run('/a.rom'), null], /\/a\.rom is not read: there is no such file/],
  ['a folder', [{ 'a.rom/x': '' }, run('/a.rom'), null], /\/a\.rom is not read: it is no ordinary file/],
  [
    'no file, started by a legacy BIOS',
    [{}, gpu, null],
    /a copy that has been written to: passqemu rom dump/,
  ],
  ['no file, started by UEFI', [uefi, gpu, null], null],
];
for (const [name, given, wanted] of cases) {
  test(`plan says of ${name}: ${wanted === null ? 'nothing' : wanted.source.slice(0, 40)}`, () => {
    const notes = notesOf(name.replaceAll(/\W/g, '-'), ...given);
    if (wanted === null) assert.deepEqual(notes, []);
    else {
      assert.equal(notes.length, 1, notes.join('\n'));
      assert.match(notes[0]!, wanted);
    }
  });
}
