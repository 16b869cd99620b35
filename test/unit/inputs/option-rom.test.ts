import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareRomWithCard, parseOptionRom } from '../../../lib/inputs/option-rom.ts';
import { type MadeImage, makeRom } from '../../fake/option-rom-maker.ts';

const X86: MadeImage = { type: 'x86' };
const EFI: MadeImage = { type: 'efi' };
const PREFIX = Buffer.concat([Buffer.from('NVGI'), Buffer.alloc(1532, 0x55)]);

/** What a ROM is worth, short: valid, uefi, where to cut, its images, what is wrong. */
const CASES: readonly [name: string, bytes: Buffer, worth: readonly unknown[]][] = [
  ['legacy', makeRom(X86), [true, false, 0, ['x86@0+2048 sum'], []]],
  ['EFI', makeRom(EFI), [true, true, 0, ['efi@0+2048'], []]],
  ['both', makeRom(X86, EFI), [true, true, 0, ['x86@0+2048 sum', 'efi@2048+2048'], []]],
  [
    'compressed',
    makeRom({ ...EFI, compression: 1, driverAt: 0x180 }),
    [true, true, 0, ['efi@0+2048 compressed'], []],
  ],
  [
    'behind the last image',
    Buffer.concat([makeRom(EFI), Buffer.alloc(700, 0xff)]),
    [true, true, 0, ['efi@0+2048'], []],
  ],
  ['Open Firmware', makeRom({ type: 'openfirmware' }), [true, false, 0, ['openfirmware@0+2048'], []]],
  ['HP PA-RISC', makeRom({ type: 'hppa' }), [true, false, 0, ['hppa@0+2048'], []]],
  ['a type of the vendor', makeRom({ type: 0xe0 }), [true, false, 0, ['unknown@0+2048'], []]],
  [
    'an image inside the data of an image',
    (() => {
      const rom = makeRom({ ...EFI, blocks: 16 });
      makeRom(X86).copy(rom, 1024);
      return rom;
    })(),
    [true, true, 0, ['efi@0+8192'], []],
  ],
  [
    'an image that begins inside another',
    makeRom({ ...X86, saidBlocks: 2, codeBlocks: 4, last: true }),
    [
      false,
      false,
      0,
      ['x86@0+1024 sum'],
      ['The image at 0 has 2048 bytes of code but a length of 1024: another image begins inside it'],
    ],
  ],
  [
    'truncated in the first image',
    makeRom(X86, EFI).subarray(0, 1500),
    [
      false,
      false,
      0,
      ['x86@0+2048'],
      [
        'The image at 0 is cut off: 548 of its 2048 bytes are not in the file',
        'No image says that it is the last, and what follows at 2048 is none: it ends at 1500, before the header is complete',
      ],
    ],
  ],
  [
    'truncated between images',
    makeRom(X86, EFI).subarray(0, 2048),
    [
      false,
      false,
      0,
      ['x86@0+2048 sum'],
      [
        'No image says that it is the last, and what follows at 2048 is none: it ends at 2048, before the header is complete',
      ],
    ],
  ],
  [
    'truncated in the header',
    makeRom(X86).subarray(0, 20),
    [false, false, null, [], ['The image at 0 ends at 20, before the header is complete']],
  ],
  [
    'wrong signature',
    makeRom({ ...X86, signature: 0x55ab }),
    [false, false, null, [], ['The image at 0 begins with 55ab, must begin with 55aa']],
  ],
  [
    'wrong signature of the first of two',
    makeRom({ ...X86, signature: 0xffff }, EFI),
    [false, false, null, [], ['The image at 0 begins with ffff, must begin with 55aa']],
  ],
  [
    'vendor prefix',
    Buffer.concat([PREFIX, makeRom(X86, EFI)]),
    [
      false,
      true,
      1536,
      ['x86@1536+2048 sum', 'efi@3584+2048'],
      ['The first image begins at 1536: what lies before it is no part of the ROM and must be cut off'],
    ],
  ],
  [
    'wrong checksum',
    makeRom({ ...X86, wrongChecksum: true }),
    [false, false, 0, ['x86@0+2048 no sum'], ['The image at 0 has a wrong checksum']],
  ],
  [
    'zero length',
    makeRom({ ...EFI, saidBlocks: 0 }),
    [false, true, 0, ['efi@0+0'], ['The image at 0 has a length of zero']],
  ],
  [
    'no code',
    makeRom({ ...X86, codeBlocks: 0 }),
    [false, false, 0, ['x86@0+2048'], ['The image at 0 says that it has no code']],
  ],
  [
    'PCIR outside the file',
    makeRom({ ...X86, saidPcir: 0xffff }),
    [
      false,
      false,
      null,
      [],
      ['The image at 0 has its PCI data structure at 65535, outside the file of 2048 bytes'],
    ],
  ],
  [
    'PCIR elsewhere',
    makeRom({ ...X86, saidPcir: 0x80 }),
    [
      false,
      false,
      null,
      [],
      ['The image at 0 has no PCI data structure at 128, where its header says it is'],
    ],
  ],
  [
    'PCIR in the header',
    makeRom({ ...X86, pcirAt: 0x19 - 9 }),
    [false, false, null, [], ['The image at 0 has no PCI data structure at 16, where its header says it is']],
  ],
  [
    'PCIR behind the image',
    makeRom({ ...EFI, saidBlocks: 1, pcirAt: 0x300 }),
    [
      false,
      true,
      0,
      ['efi@0+512'],
      ['The image at 0 has its PCI data structure at 768, behind its own end at 512'],
    ],
  ],
  [
    'short PCIR',
    makeRom({ ...EFI, pcirLength: 8 }),
    [
      false,
      true,
      0,
      ['efi@0+2048'],
      ['The image at 0 has a PCI data structure of 8 bytes, must be at least 24'],
    ],
  ],
  [
    'EFI without its signature',
    makeRom({ ...EFI, efiSignature: 7 }),
    [false, false, 0, ['efi@0+2048'], ['The image at 0 has the UEFI signature 00000007, must be 00000ef1']],
  ],
  [
    'EFI in an unknown compression',
    makeRom({ ...EFI, compression: 9 }),
    [false, true, 0, ['efi@0+2048'], ['The image at 0 is compressed in the unknown way 9']],
  ],
  [
    'EFI driver outside',
    makeRom({ ...EFI, driverAt: 0x900 }),
    [false, true, 0, ['efi@0+2048'], ['The image at 0 has its driver at 2304, behind its own end at 2048']],
  ],
  [
    'EFI driver not there',
    makeRom({ ...EFI, driverAt: 0x200 }),
    [false, true, 0, ['efi@0+2048'], ['The image at 0 has no driver at 512, where its header says it is']],
  ],
  [
    'no last image',
    makeRom({ ...X86, last: false }),
    [
      false,
      false,
      0,
      ['x86@0+2048 sum'],
      [
        'No image says that it is the last, and what follows at 2048 is none: it ends at 2048, before the header is complete',
      ],
    ],
  ],
  ['empty', Buffer.alloc(0), [false, false, null, [], ['The file is empty']]],
  [
    'not a ROM',
    Buffer.from('MZ this is a program'.repeat(9)),
    [false, false, null, [], ['The image at 0 begins with 4d5a, must begin with 55aa']],
  ],
];

function worth(bytes: Buffer): readonly unknown[] {
  const { valid, uefi, trimOffset, images, problems } = parseOptionRom(bytes);
  const short = images.map(({ type, offset, length, checksumValid, efi }) => {
    const sum = checksumValid === null ? '' : checksumValid ? ' sum' : ' no sum';
    return `${type}@${offset}+${length}${sum}${efi?.compressed === true ? ' compressed' : ''}`;
  });
  return [valid, uefi, trimOffset, short, problems];
}

for (const [name, bytes, wanted] of CASES) {
  test(`parseOptionRom() judges a ROM: ${name}`, () => assert.deepEqual(worth(bytes), wanted));
}

test('parseOptionRom() tells all of an image', () => {
  const made = makeRom({
    ...EFI,
    vendor: 0x1002,
    device: 0x744c,
    deviceIds: [0x744d, 0x744e],
    machine: 0xaa64,
    subsystem: 12,
  });
  assert.deepEqual(parseOptionRom(made).images, [
    {
      offset: 0,
      length: 2048,
      type: 'efi',
      vendorId: '1002',
      deviceId: '744c',
      classCode: '030000',
      revision: 3,
      codeRevision: 0,
      deviceIds: ['744d', '744e'],
      efi: { machine: 'aa64', subsystem: 'runtime', compressed: false, signatureValid: true },
      last: true,
      checksumValid: null,
    },
  ]);
});

test('parseOptionRom() names machines and subsystems that it does not know by their number', () => {
  const [image] = parseOptionRom(makeRom({ ...EFI, machine: 0x1234, subsystem: 3 })).images;
  assert.deepEqual([image?.efi?.machine, image?.efi?.subsystem], ['0x1234', '0x0003']);
});

test('parseOptionRom() does not follow a list of device ids out of the file', () => {
  const rom = makeRom({ ...EFI, blocks: 1, pcirAt: 0x1d0, deviceIds: [] });
  rom.writeUInt16LE(0xfff0, 0x1d0 + 8);
  assert.deepEqual(parseOptionRom(rom).images[0]?.deviceIds, []);
});

test('compareRomWithCard() knows the card by its id and by the list', () => {
  const rom = parseOptionRom(
    makeRom({ ...X86, device: 0x1111 }, { ...EFI, device: 0x1111, deviceIds: [0x2222] }),
  );
  const card = (vendorId: string | null, deviceId: string | null) =>
    compareRomWithCard(rom, { vendorId, deviceId });
  assert.deepEqual(card('10de', '1111'), []);
  assert.deepEqual(card('10de', '2222'), ['The image at 0 is for 10de:1111, the card is 10de:2222']);
  assert.deepEqual(card('1002', '1111').length, 2);
  assert.deepEqual(card(null, null), []);
});

const FOLDERS = ['/usr/lib/ipxe/qemu', '/usr/share/seabios', '/usr/share/qemu'];
const shipped = FOLDERS.filter(existsSync).flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => /^(?:(?:efi|pxe)-.*\.rom|vgabios-.*\.bin)$/.test(name))
    .map((name) => `${folder}/${name}`),
);

test('parseOptionRom() accepts the ROMs of the ipxe-qemu and seabios packages', {
  skip: shipped.length === 0 && 'neither package is installed',
}, () => {
  for (const path of shipped) {
    const rom = parseOptionRom(readFileSync(path));
    // Two of them are for an ISA card and for one that is no PCI card at all
    assert.equal(rom.valid, !/isavga|ramfb/.test(path), `${path}: ${rom.problems.join('; ')}`);
    assert.equal(rom.uefi, path.includes('/efi-'), path);
  }
});

test('parseOptionRom() ends, throws nothing and contradicts itself nowhere, whatever the bytes', () => {
  const rotten = fc
    .tuple(
      fc.constantFrom(...CASES.map(([, bytes]) => bytes)),
      fc.array(fc.tuple(fc.nat(8192), fc.nat(255)), { maxLength: 12 }),
      fc.nat(9000),
    )
    .map(([bytes, changes, length]) => {
      const copy = Buffer.from(bytes.subarray(0, length));
      for (const [at, byte] of changes) if (at < copy.length) copy[at] = byte;
      return copy;
    });
  const random = fc.uint8Array({ maxLength: 2048 }).map((array) => Buffer.from(array));
  fc.assert(
    fc.property(fc.oneof({ weight: 5, arbitrary: rotten }, random), (bytes) => {
      const rom = parseOptionRom(bytes);
      assert.equal(rom.valid, rom.problems.length === 0 && rom.images.length > 0);
      assert.ok(rom.valid || rom.problems.length > 0);
      assert.ok(rom.images.every(({ offset }) => offset < bytes.length));
      assert.equal(rom.trimOffset === null, rom.images.length === 0);
      if (rom.valid)
        assert.deepEqual(rom.images.map(({ last }) => last).lastIndexOf(true), rom.images.length - 1);
    }),
    { numRuns: 3000 },
  );
});

test('parseOptionRom() is quick with a large file full of signatures', () => {
  const bytes = Buffer.alloc(16 << 20);
  for (let at = 0; at < bytes.length; at += 2) bytes.writeUInt16BE(0x55aa, at);
  const begun = Date.now();
  assert.equal(parseOptionRom(bytes).valid, false);
  assert.ok(Date.now() - begun < 10_000);
});
