import { option, type PropertyValue } from './option.ts';
import type { RunBuild } from './run-build.ts';

const DRIVERS = { pipewire: 'pipewire', pulse: 'pa', jack: 'jack', alsa: 'alsa', spice: 'spice' } as const;

/** The sound card and where it is heard; gives the variables that QEMU needs to find the sound server. */
export function addAudio(build: RunBuild): Readonly<Record<string, string>> {
  const { audio } = build.run;
  if (audio.type === 'none') return {};
  const driver = DRIVERS[audio.type];
  if (!build.qemu.audioDrivers.has(driver)) build.refuseLack(`the audio driver ${driver}`);
  const latency = audio.latency === null ? null : audio.latency * 1000;
  const own: Record<string, PropertyValue> =
    audio.type === 'pulse'
      ? { server: audio.server, 'in.latency': latency, 'out.latency': latency }
      : audio.type === 'jack'
        ? { 'in.server-name': audio.server, 'out.server-name': audio.server }
        : audio.type === 'alsa'
          ? { 'in.dev': audio.server, 'out.dev': audio.server, 'out.buffer-length': latency }
          : audio.type === 'pipewire'
            ? { 'in.latency': latency, 'out.latency': latency }
            : {};
  build.add('-audiodev', option(driver, { id: 'audio', ...own }));
  addCard(build);
  return environmentOf(build);
}

function addCard(build: RunBuild): void {
  const { card, microphone } = build.run.audio;
  const codec = microphone ? 'hda-duplex' : 'hda-output';
  switch (card) {
    case 'ich9':
      build.device('ich9-intel-hda', {
        id: 'sound',
        ...(build.isQ35 ? { bus: 'pcie.0', addr: '0x1b' } : build.place(null)),
      });
      build.device(codec, { id: 'codec', bus: 'sound.0', cad: 0, audiodev: 'audio' });
      return;
    case 'ich6':
      build.device('intel-hda', { id: 'sound', ...build.place(null) });
      build.device(codec, { id: 'codec', bus: 'sound.0', cad: 0, audiodev: 'audio' });
      return;
    case 'ac97':
      build.device('AC97', { id: 'sound', audiodev: 'audio', ...build.place(null) });
      return;
    case 'usb':
      build.device('usb-audio', { id: 'sound', audiodev: 'audio', bus: 'usb.0' });
      return;
    case 'virtio':
      build.device('virtio-sound-pci', { id: 'sound', audiodev: 'audio', ...build.place(null) });
  }
}

/** Sound servers listen in their user's runtime folder, which QEMU as another user does not know. */
function environmentOf(build: RunBuild): Readonly<Record<string, string>> {
  const { type } = build.run.audio;
  if (type !== 'pipewire' && type !== 'pulse' && type !== 'jack') return {};
  const folder = build.run.audio.runtimeDir ?? build.picture.runtimeFolder;
  if (folder !== null) return { XDG_RUNTIME_DIR: folder, PIPEWIRE_RUNTIME_DIR: folder };
  build.notes.push('Whose sound server it is cannot be told; runtime-dir in [audio] says it');
  return {};
}
