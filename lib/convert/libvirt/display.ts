import type { Reading, Writing } from './parts.ts';
import type { XmlNode } from './xml-node.ts';
import { type XmlElement, xml } from './xml-writer.ts';

/** Names of graphics cards, ours and libvirt's. */
const VIDEO: Readonly<Record<string, string>> = {
  none: 'none',
  virtio: 'virtio',
  qxl: 'qxl',
  std: 'vga',
  bochs: 'bochs',
};
const REMOTE = ['spice', 'vnc'];

export function writeDisplay(writing: Writing): readonly (XmlElement | null)[] {
  const { source, dropList } = writing;
  const said = (key: string) => source.said('display', key);
  const type = source.text('display', 'type')!;
  const video = said('video') ?? (type === 'none' ? 'none' : 'virtio');
  const node = said('render-node');
  const isGl = source.yes('display', 'gl');
  const gl =
    isGl || node !== null
      ? xml('gl', { enable: type === 'egl-headless' ? null : isGl ? 'yes' : 'no', rendernode: node })
      : null;
  const isRemote = REMOTE.includes(type);
  if (type === 'gtk')
    dropList.add(
      '[display] type = gtk, and its video',
      'libvirt starts QEMU without a window; sdl and the viewers of SPICE and VNC are what it has',
    );
  if (gl !== null && type === 'vnc') dropList.add('[display] gl, render-node', 'VNC draws nothing by a GPU');
  if (type !== 'spice')
    for (const key of ['agent', 'usb-redirection'])
      if (said(key) !== null) dropList.add(`[display] ${key}`, 'only SPICE has it');
  if (gl !== null && (type === 'none' || type === 'gtk'))
    for (const key of ['gl', 'render-node'])
      dropList.add(`[display] ${key}`, 'there is no window of libvirt’s to draw in');
  if (type === 'egl-headless' && node !== null && said('gl') === 'no')
    dropList.add('[display] gl = no', 'egl-headless draws by a GPU always');
  const [address, port, socket] = ['address', 'port', 'socket'].map(said);
  const isPlace = address == null || /^[\w.:-]+$/.test(address);
  if (!isPlace) dropList.add('[display] address', 'it is neither an address nor a name of the DNS');
  const listen =
    socket !== null
      ? xml('listen', { type: 'socket', socket: socket! })
      : xml('listen', { type: 'address', address: (isPlace ? address : null) ?? '127.0.0.1' });
  const graphics = isRemote
    ? xml(
        'graphics',
        { type, port: socket === null ? (port ?? '5900') : null, autoport: socket === null ? 'no' : null },
        [listen, type === 'spice' ? gl : null],
      )
    : type === 'sdl' || type === 'egl-headless'
      ? xml('graphics', { type }, [gl])
      : null;
  const hasAgent = source.yes('display', 'agent');
  const redirections = source.number('display', 'usb-redirection') ?? 0;
  return [
    graphics,
    xml('video', {}, [
      xml('model', { type: VIDEO[video] ?? 'virtio' }, [
        video === 'virtio-gl' ? xml('acceleration', { accel3d: 'yes' }) : null,
      ]),
    ]),
    type !== 'spice' || !hasAgent
      ? null
      : xml('channel', { type: 'spicevmc' }, [xml('target', { type: 'virtio', name: 'com.redhat.spice.0' })]),
    ...Array.from({ length: type === 'spice' ? redirections : 0 }, () =>
      xml('redirdev', { bus: 'usb', type: 'spicevmc' }),
    ),
  ];
}

export function readDisplay(reading: Reading): void {
  const { devices, draft, dropList } = reading;
  const [graphics = null, ...others] = devices?.all('graphics') ?? [];
  const type = graphics?.attribute('type') ?? 'none';
  for (const other of others) {
    dropList.add(`${other.path} (type=${other.attribute('type') ?? ''})`, 'a guest has one display');
    other.settle();
  }
  if (graphics !== null && !['spice', 'vnc', 'sdl', 'egl-headless'].includes(type)) {
    dropList.add(`${graphics.path} (type=${type})`, 'displays are spice, vnc, gtk, sdl and egl-headless');
    graphics.settle();
  } else if (graphics !== null) readGraphics(graphics, type, reading);
  readVideo(reading);

  const channels = (devices?.all('channel') ?? []).filter((one) => one.attribute('type') === 'spicevmc');
  if (type === 'spice') draft.putYes('display', 'agent', channels.length > 0);
  for (const channel of channels) channel.settle();
  const redirections = (devices?.all('redirdev') ?? []).filter((one) => one.attribute('type') === 'spicevmc');
  for (const one of redirections) one.settle();
  if (type === 'spice') draft.put('display', 'usb-redirection', Math.min(4, redirections.length));
}

function readGraphics(graphics: XmlNode, type: string, { draft }: Reading): void {
  draft.put('display', 'type', type);
  const listen = graphics.one('listen');
  const port = graphics.attribute('port');
  const listening = listen?.attribute('address') ?? null;
  const address = graphics.attribute('listen') ?? listening;
  const socket = listen?.attribute('socket') ?? graphics.attribute('socket');
  for (const name of ['autoport', 'websocket']) graphics.attribute(name);
  listen?.attribute('type');
  draft.put('display', 'socket', socket);
  if (socket === null) {
    draft.put('display', 'address', address, '127.0.0.1');
    if (port !== null && Number(port) > 0) draft.put('display', 'port', port, '5900');
  }
  const gl = graphics.one('gl');
  const enable = gl?.attribute('enable') ?? null;
  draft.putYes(
    'display',
    'gl',
    enable === 'yes' || (type === 'egl-headless' && gl !== null && enable === null),
  );
  draft.put('display', 'render-node', gl?.attribute('rendernode') ?? null);
}

function readVideo({ devices, draft, dropList }: Reading): void {
  const [video = null, ...more] = devices?.all('video') ?? [];
  for (const one of more) {
    dropList.add(one.path, 'a guest has one graphics card of QEMU’s');
    one.settle();
  }
  const model = video?.one('model') ?? null;
  const name = model?.attribute('type') ?? null;
  const isGl = model?.one('acceleration')?.attribute('accel3d') === 'yes';
  const usual = draft.get('display', 'type') === null ? 'none' : 'virtio';
  const ours = Object.keys(VIDEO).find((key) => VIDEO[key] === name);
  if (name !== null && ours === undefined)
    dropList.add(`${model!.path}/@type=${name}`, 'the usual card is taken');
  else if (ours !== undefined) draft.put('display', 'video', isGl ? 'virtio-gl' : ours, usual);
  for (const attribute of ['heads', 'primary', 'ram', 'vram', 'vgamem']) model?.attribute(attribute);
  for (const inner of ['address', 'alias']) video?.one(inner)?.settle();
}
