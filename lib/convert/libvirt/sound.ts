import type { Reading, Writing } from './parts.ts';
import { type XmlElement, xml } from './xml-writer.ts';

const BACKENDS: Readonly<Record<string, string>> = {
  none: 'none',
  pipewire: 'pipewire',
  pulse: 'pulseaudio',
  jack: 'jack',
  alsa: 'alsa',
  spice: 'spice',
};
/** The card's codec with a microphone and without. */
const CODEC = { yes: 'duplex', no: 'output' } as const;

/** The sound card and where it is heard. Without [audio] type there is no card. */
export function writeSound(writing: Writing): readonly XmlElement[] {
  const { source, dropList } = writing;
  const type = source.text('audio', 'type')!;
  if (type === 'none') {
    for (const key of source.keys('audio').filter((key) => key !== 'type')) {
      source.said('audio', key);
      dropList.add(`[audio] ${key}`, 'there is no sound card without a type');
    }
    return [];
  }
  const card = source.text('audio', 'card')!;
  const server = source.said('audio', 'server');
  const latency = source.number('audio', 'latency');
  const microphone = source.yes('audio', 'microphone');
  const hasCodec = card === 'ich9' || card === 'ich6';
  if (!hasCodec && !microphone) dropList.add('[audio] microphone', 'it is of the cards ich9 and ich6');
  const runtimeDir = source.said('audio', 'runtime-dir');
  const takesLatency = ['pipewire', 'pulse', 'alsa'].includes(type);
  if (runtimeDir !== null && type !== 'pipewire')
    dropList.add('[audio] runtime-dir', 'libvirt has it for pipewire only');
  if (latency !== null && !takesLatency) dropList.add('[audio] latency', `libvirt has none for ${type}`);
  if (server !== null && (type === 'pipewire' || type === 'spice'))
    dropList.add('[audio] server', `${type} has none`);
  const ends = ['input', 'output'].map((name) =>
    xml(name, {
      latency: type !== 'alsa' && takesLatency && latency !== null ? latency * 1000 : null,
      bufferLength: type === 'alsa' && latency !== null ? latency * 1000 : null,
      dev: type === 'alsa' ? server : null,
      serverName: type === 'jack' ? server : null,
    }),
  );
  const isTold = ends.some(({ attributes }) => Object.values(attributes).some((value) => value !== null));
  return [
    xml('sound', { model: card }, [
      hasCodec ? xml('codec', { type: CODEC[microphone ? 'yes' : 'no'] }) : null,
    ]),
    xml(
      'audio',
      {
        id: 1,
        type: BACKENDS[type]!,
        serverName: type === 'pulse' ? server : null,
        runtimeDir: type === 'pipewire' ? runtimeDir : null,
      },
      isTold ? ends : [],
    ),
  ];
}

export function readSound({ devices, draft, dropList }: Reading): void {
  const [sound = null, ...others] = devices?.all('sound') ?? [];
  const [audio = null, ...more] = devices?.all('audio') ?? [];
  for (const one of [...others, ...more]) {
    dropList.add(one.path, 'a guest has one sound card');
    one.settle();
  }
  for (const one of [sound, audio]) for (const name of ['alias', 'address']) one?.one(name)?.settle();
  const backend = audio?.attribute('type') ?? (draft.get('display', 'type') === 'spice' ? 'spice' : 'none');
  audio?.attribute('id');
  const type = Object.keys(BACKENDS).find((key) => BACKENDS[key] === backend) ?? null;
  if (sound === null || type === null || type === 'none') {
    if (sound !== null)
      dropList.add(
        `${sound.path} (model=${sound.attribute('model') ?? ''})`,
        `nobody hears it: the backend is ${backend}`,
      );
    if (type === null)
      dropList.add(`${audio!.path}/@type=${backend}`, 'sound goes to pipewire, pulse, jack, alsa or spice');
    sound?.settle();
    return;
  }
  draft.put('audio', 'type', type);
  draft.put('audio', 'card', sound.attribute('model'));
  const codec = sound.one('codec')?.attribute('type') ?? 'duplex';
  draft.putYes('audio', 'microphone', codec !== 'output');
  const output = audio?.one('output') ?? null;
  const server =
    audio?.attribute('serverName') ?? output?.attribute('serverName') ?? output?.attribute('dev') ?? null;
  draft.put('audio', 'server', server);
  draft.put('audio', 'runtime-dir', audio?.attribute('runtimeDir') ?? null);
  const latency = Number(output?.attribute('latency') ?? output?.attribute('bufferLength') ?? 0) / 1000;
  if (latency >= 1) draft.put('audio', 'latency', Math.round(latency));
  const input = audio?.one('input') ?? null;
  for (const name of ['serverName', 'dev', 'latency', 'bufferLength']) input?.attribute(name);
}
