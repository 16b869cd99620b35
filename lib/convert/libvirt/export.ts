import { parseRunProfile } from '../../inputs/read-run-profile.ts';
import { DropList, type Dropped } from '../dropped.ts';
import type { Exportable } from '../exportable.ts';
import { ProfileSource } from '../profile-source.ts';
import { writeChannels, writeRaw } from './channels.ts';
import { writeDisks } from './disks.ts';
import { writeDisplay } from './display.ts';
import { writeOs, writeSysinfo } from './firmware.ts';
import { writeFunctions } from './functions.ts';
import { writeHostKeys } from './host-keys.ts';
import { writeMachine } from './machine.ts';
import { writeNetworks } from './networks.ts';
import type { Writing } from './parts.ts';
import { writePlacement } from './placement.ts';
import { writeSound } from './sound.ts';
import { writeInputs, writeUsb } from './usb-and-input.ts';
import { formatXml, xml } from './xml-writer.ts';

/** Writes a domain for libvirt (docs/formatdomain) from a profile; what it cannot say is told. Throws ProfileError where the profile is none. */
export function exportDomain({ guest, path, text, functions, uuid: usualUuid }: Exportable): {
  readonly xml: string;
  readonly dropped: readonly Dropped[];
} {
  parseRunProfile(text, { guest, path });
  const dropList = new DropList();
  const source = new ProfileSource(text);
  const writing: Writing = { source, dropList, functions };
  const { osInfo, top } = writeMachine(writing);
  const passed = writeFunctions(writing);
  const raw = writeRaw(writing);
  const hostKeys = writeHostKeys(writing);
  const uuid = source.said('machine', 'uuid') ?? usualUuid;
  const emulator = source.said('machine', 'qemu');
  const isQemu = passed.override !== null || raw.commandline !== null;
  const domain = xml(
    'domain',
    {
      type: source.text('machine', 'accel') === 'tcg' ? 'qemu' : 'kvm',
      'xmlns:qemu': isQemu ? 'http://libvirt.org/schemas/domain/qemu/1.0' : null,
    },
    [
      xml('name', {}, guest),
      xml('uuid', {}, uuid),
      osInfo === null && hostKeys === null ? null : xml('metadata', {}, [osInfo, hostKeys]),
      ...writePlacement(writing),
      writeOs(writing),
      writeSysinfo(writing),
      raw.fwCfg,
      ...top,
      xml('devices', {}, [
        emulator === null ? null : xml('emulator', {}, emulator),
        ...passed.controllers,
        ...writeUsb(writing),
        ...writeDisks(writing),
        ...writeNetworks(writing),
        ...passed.devices,
        ...writeInputs(writing),
        ...writeDisplay(writing),
        ...writeSound(writing),
        ...writeChannels(writing),
      ]),
      raw.commandline,
      passed.override,
    ],
  );
  for (const { section, key } of source.unread())
    dropList.add(`[${section}] ${key}`, 'libvirt has no word for it');
  return { xml: formatXml(domain), dropped: dropList.all };
}
