import { choice, plain, size, whole, yesNo } from './run-key.ts';

const GIB = 1024 ** 2;

/** Keys of what people see, hear and touch, and of the channels between guest and host. */
export const RUN_PERIPHERAL_KEYS = {
  usb: {
    id: plain('usb-id', 'Its vendor and product, as lsusb shows them: 046d:c52b.'),
    port: plain(
      'usb-port',
      'The port it hangs on, as the kernel names it: 1-2.3. Whatever is plugged in there.',
    ),
    boot: whole(0, 255, null, 'Its place in the boot order.'),
  },
  input: {
    type: choice(
      ['evdev', 'keyboard', 'mouse', 'tablet'],
      null,
      'A device of the host by path, or one that the display serves; evdev by default where there is a path.',
    ),
    path: plain('path', 'The event device of the host, best one in /dev/input/by-id.'),
    'grab-all': yesNo(
      null,
      'Whether all evdev devices change sides with this one; by default for a keyboard’s path (…-kbd).',
    ),
    repeat: yesNo(null, 'Whether held keys repeat; by default for a keyboard’s path.'),
    toggle: choice(
      ['ctrl-ctrl', 'alt-alt', 'shift-shift', 'meta-meta', 'scrolllock', 'ctrl-scrolllock'],
      'ctrl-ctrl',
      'The keys that change sides.',
    ),
    bus: choice(
      ['virtio', 'usb'],
      'virtio',
      'How the guest sees it (keyboard and mouse; a tablet is always usb).',
    ),
  },
  display: {
    type: choice(['none', 'spice', 'vnc', 'gtk', 'sdl', 'egl-headless'], 'none', 'Where it is shown.'),
    video: choice(
      ['none', 'virtio', 'virtio-gl', 'qxl', 'std', 'bochs'],
      null,
      'The graphics card QEMU makes; else virtio, or none without a display.',
    ),
    address: plain('text', 'Where SPICE or VNC listens; else 127.0.0.1.'),
    port: whole(1, 65535, null, 'The port of SPICE or VNC; else 5900.'),
    socket: plain('path', 'A socket for SPICE or VNC to listen on, in place of a port.'),
    gl: yesNo('no', 'Whether it is drawn by the host’s GPU (SPICE only by socket).'),
    'render-node': plain('path', 'The GPU that draws it: /dev/dri/renderD128 say.'),
    agent: yesNo('yes', 'Whether SPICE has its agent’s channel (clipboard, resolution).'),
    'usb-redirection': whole(0, 4, '0', 'How many USB devices the SPICE client may pass on.'),
  },
  'looking-glass': {
    resolution: plain('resolution', 'The largest screen of the guest; its memory is sized from it.'),
    hdr: yesNo('no', 'Whether it is for HDR, which needs twice as much.'),
    size: size(1024, GIB, 'The memory, a power of two; else computed from the resolution.'),
    type: choice(['shm', 'kvmfr'], 'shm', 'A file in /dev/shm, or the kvmfr module’s device.'),
    path: plain('path', 'The file or device; else /dev/shm/looking-glass or /dev/kvmfr0.'),
  },
  audio: {
    type: choice(['none', 'pipewire', 'pulse', 'jack', 'alsa', 'spice'], 'none', 'Where it is heard.'),
    card: choice(['ich9', 'ich6', 'ac97', 'usb', 'virtio'], 'ich9', 'The sound card that the guest sees.'),
    microphone: yesNo('yes', 'Whether it records too (ich9 and ich6).'),
    server: plain('text', 'The server to play to (pulse, jack), or the device (alsa).'),
    'runtime-dir': plain(
      'path',
      'The XDG_RUNTIME_DIR of the user whose sound server it is; else that of the user that QEMU runs as.',
    ),
    latency: whole(1, 1000, null, 'How much is buffered, in milliseconds.'),
  },
  tpm: {
    type: choice(['none', 'swtpm', 'host'], 'none', 'One by swtpm, or the host’s.'),
    model: choice(['crb', 'tis'], 'crb', 'How the guest sees it.'),
    state: plain(
      'path',
      'The folder where swtpm keeps what the guest stores; else one of its name in /var/lib/passqemu.',
    ),
    path: plain('path', 'The host’s TPM; else /dev/tpm0.'),
  },
  serial: {
    type: choice(
      ['none', 'socket', 'pty', 'file', 'stdio'],
      'none',
      'Where it ends; socket is what passqemu monitor can show.',
    ),
    path: plain('path', 'The socket or file; else the socket is in the run folder.'),
  },
  agent: {
    enable: yesNo('yes', 'Whether there is one.'),
    path: plain('path', 'Its socket; else in the run folder.'),
  },
  'fw-cfg': {
    name: plain('text', 'Its name, which begins with opt/ and a domain of yours.'),
    text: plain('text', 'What it says.'),
    file: plain('path', 'The file that has what it says.'),
  },
} as const;
