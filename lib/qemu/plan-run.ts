import { createHash } from 'node:crypto';
import type { QemuCapabilities, RunPicture } from '../host/run-picture.ts';
import { vcpuCount } from '../inputs/check-run-profile.ts';
import { memoryKibOf } from '../inputs/run-host-half.ts';
import type { RunProfile, WholeProfile } from '../inputs/run-profile.ts';
import { RefusedError } from '../words/errors.ts';
import { addAudio } from './audio.ts';
import { addChannels, addShares, addTables } from './channels.ts';
import { addDisks, iothreadId } from './disks.ts';
import { addDisplay, addLookingGlass } from './display.ts';
import { addFirmware, chooseFirmware } from './firmware.ts';
import { addFunctions } from './functions.ts';
import { addMachine } from './machine.ts';
import { addMemory } from './memory.ts';
import { addNetworks } from './networks.ts';
import { addProcessor } from './processor.ts';
import { RunBuild } from './run-build.ts';
import { checkOthers } from './run-checks.ts';
import type { RunPlan, RunThreads } from './run-plan.ts';
import { addTpm } from './tpm.ts';
import { addUsbAndInput, addUsbController } from './usb-input.ts';

/** Functions pin all of the guest's memory, and their BARs count too on some kernels: QEMU needs so much room beside. */
const LOCK_ROOM_KIB = 1024 ** 2;

/**
 * Makes the command line of a guest without libvirt, and all that must be there around it, from its profile, a picture of the host and
 * what QEMU says of itself. Throws one RefusedError with all reasons against it; nothing is changed. The order is QEMU's: objects
 * before what names them, controllers before what hangs on them, the user's own arguments last.
 */
export function planRun(whole: WholeProfile, picture: RunPicture, qemu: QemuCapabilities): RunPlan {
  const { run } = whole;
  const build = new RunBuild(whole, picture, qemu);
  const uuid = run.machine.uuid ?? stableUuid(run.guest);
  checkOthers(build, uuid);
  for (const [kind, list] of [
    ['disk', run.disks],
    ['network', run.networks],
    ['device', run.devices],
    ['share', run.shares],
  ] as const)
    for (const { label, slot } of list) build.reserve(slot, `[${kind} ${label}]`);

  const firmware = chooseFirmware(build);
  // What -machine names may stand behind it: QEMU makes objects and drives first
  const memory = inOrder(build, () => addMemory(build));
  addMachine(build, uuid, {
    smm: firmware?.smm ?? run.firmware.smm ?? false,
    hasFlash: firmware !== null,
    memoryBackend: memory.result,
  });
  addProcessor(build);
  build.add(...memory.words);
  addFirmware(build, firmware);
  addUsbController(build);
  const functions = addFunctions(build);
  addDisks(build);
  addNetworks(build);
  const tpm = addTpm(build);
  const shares = addShares(build);
  const channels = addChannels(build);
  const display = addDisplay(build);
  const files = addLookingGlass(build);
  const environment = addAudio(build);
  addUsbAndInput(build);
  addExtras(build);
  addTables(build);
  for (const { words } of run.arguments) build.add(...words);
  refuseIf(build);

  const ownFolders =
    firmware?.preparation != null
      ? [firmware.preparation.to.slice(0, firmware.preparation.to.lastIndexOf('/'))]
      : [];
  return {
    guest: run.guest,
    uuid,
    argv: [qemu.path, ...build.words],
    environment,
    descriptors: build.descriptors,
    sidecars: [...tpm.sidecars, ...shares],
    prepare: {
      folders: [...new Set([picture.runFolder, ...ownFolders, ...tpm.folders])],
      variables: firmware?.preparation ?? null,
      once: tpm.once,
      files,
    },
    threads: threadsOf(run),
    sockets: { ...channels, display },
    user: picture.isRoot ? picture.user : null,
    lockedKib: functions.length > 0 || run.machine.memoryLock ? memoryKibOf(whole) + LOCK_ROOM_KIB : 0,
    functions,
    notes: build.notes,
  };
}

/** A UUID that is always the same for a name, of the kind that names are made into (RFC 9562, version 8). */
export function stableUuid(guest: string): string {
  const hex = createHash('sha256').update(`passqemu\0${guest}`).digest('hex');
  const variant = ((Number.parseInt(hex[16]!, 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

function inOrder<T>(build: RunBuild, add: () => T): { words: string[]; result: T } {
  const before = build.words.length;
  const result = add();
  return { words: build.words.splice(before), result };
}

function addExtras(build: RunBuild): void {
  const { machine } = build.run;
  if (machine.balloon) build.device('virtio-balloon-pci', { id: 'balloon', ...build.place(null) });
  if (!machine.rng) return;
  build.object('rng-random', { id: 'rng', filename: '/dev/urandom' });
  build.device('virtio-rng-pci', { id: 'random', rng: 'rng', ...build.place(null) });
}

function threadsOf(run: RunProfile): RunThreads {
  const { pins, iothreads, emulator, realTime, realTimePriority, wholeProcess } = run.threads;
  return {
    vcpus: Array.from({ length: vcpuCount(run) }, (_, index) => pins?.[index] ?? null),
    iothreads: (iothreads ?? []).map(({ name, cpus }) => ({ id: iothreadId(name), cpus })),
    emulator,
    realTime: realTime === 'no' ? null : { policy: realTime, priority: realTimePriority },
    wholeProcess,
  };
}

function refuseIf({ run, refusals }: RunBuild): void {
  if (refusals.length === 0) return;
  const count = refusals.length;
  throw new RefusedError(
    `Cannot start ${run.guest}: ${count === 1 ? 'there is one reason against it' : `there are ${count} reasons against it`}`,
    refusals,
  );
}
