import { option } from './option.ts';
import type { RunBuild } from './run-build.ts';
import type { RunPreparation } from './run-plan.ts';

const VIDEO = {
  virtio: 'virtio-vga',
  'virtio-gl': 'virtio-vga-gl',
  qxl: 'qxl-vga',
  std: 'VGA',
  bochs: 'bochs-display',
} as const;

/** The graphics card, and where its screen is shown; gives the socket of SPICE or VNC. */
export function addDisplay(build: RunBuild): string | null {
  const { display } = build.run;
  const video = display.video ?? (display.type === 'none' ? 'none' : 'virtio');
  if (video !== 'none') {
    const place = build.isQ35 ? { bus: 'pcie.0', addr: '0x1' } : { bus: 'pci.0', addr: '0x2' };
    build.device(VIDEO[video], { id: 'video', ...place });
  }
  if (display.renderNode !== null) build.needFile(display.renderNode, 'the GPU that draws', ['character']);
  if (display.type === 'spice') addSpice(build);
  if (display.type === 'vnc') addVnc(build);
  const isWindow = display.type === 'gtk' || display.type === 'sdl' || display.type === 'egl-headless';
  if (isWindow && !build.qemu.displays.has(display.type)) build.refuseLack(`the display ${display.type}`);
  if (!isWindow) build.add('-display', 'none');
  else if (display.type === 'egl-headless')
    build.add('-display', option('egl-headless', { rendernode: display.renderNode }));
  else build.add('-display', option(display.type, { gl: display.gl }));
  return display.socket;
}

function addSpice(build: RunBuild): void {
  const { display } = build.run;
  if (!build.qemu.devices.has('qxl-vga') && !build.qemu.audioDrivers.has('spice')) build.refuseLack('SPICE');
  const listens =
    display.socket === null
      ? { addr: listenAddress(build), port: listenPort(build) }
      : { unix: true, addr: display.socket };
  const gl = { gl: display.gl || null, rendernode: display.gl ? display.renderNode : null };
  build.add(
    '-spice',
    option('', { ...listens, 'disable-ticketing': true, 'image-compression': 'off', ...gl }),
  );
  for (let index = 0; index < Number(display.usbRedirection); index++) {
    build.add('-chardev', option('spicevmc', { id: `redirection${index}`, name: 'usbredir' }));
    build.device('usb-redir', {
      id: `usb-redirection${index}`,
      chardev: `redirection${index}`,
      bus: 'usb.0',
    });
  }
}

function addVnc(build: RunBuild): void {
  const { display } = build.run;
  const where =
    display.socket === null
      ? `${listenAddress(build)}:${listenPort(build) - 5900}`
      : `unix:${display.socket}`;
  build.add('-vnc', option(where));
}

function listenAddress({ run, notes }: RunBuild): string {
  const { address } = run.display;
  if (address !== null && address !== 'localhost' && address !== '::1' && !address.startsWith('127.')) {
    notes.push(
      `Whoever reaches ${address} sees and controls the guest: ${run.display.type} has no password here`,
    );
  }
  return address ?? '127.0.0.1';
}

function listenPort(build: RunBuild): number {
  const port = build.run.display.port ?? 5900;
  if (build.picture.portsInUse.has(`tcp:${port}`)) {
    build.refuse(
      'port-in-use',
      `Cannot show the guest at port ${port}: another program listens on it`,
      'Choose another port in [display], or a socket',
    );
  }
  return port;
}

/** Bytes of memory that Looking Glass needs: two frames of 4 bytes a pixel (8 for HDR), 10 MiB beside them, rounded up to a power of two. */
export function lookingGlassBytes(width: number, height: number, hdr: boolean): number {
  const bytes = width * height * (hdr ? 8 : 4) * 2 + 10 * 1024 ** 2;
  return 2 ** Math.ceil(Math.log2(bytes));
}

/** The shared memory of Looking Glass; gives the file that must be there. */
export function addLookingGlass(build: RunBuild): RunPreparation['files'] {
  const { lookingGlass } = build.run;
  if (lookingGlass === null) return [];
  const { resolution, size, hdr, type } = lookingGlass;
  const sizeBytes =
    size !== null ? size * 1024 : lookingGlassBytes(resolution?.width ?? 0, resolution?.height ?? 0, hdr);
  const path = lookingGlass.path ?? (type === 'kvmfr' ? '/dev/kvmfr0' : '/dev/shm/looking-glass');
  if (type === 'kvmfr') build.needFile(path, 'the memory of Looking Glass', ['character']);
  build.object('memory-backend-file', {
    id: 'looking-glass',
    'mem-path': path,
    size: sizeBytes,
    share: true,
  });
  build.device('ivshmem-plain', { id: 'ivshmem', memdev: 'looking-glass', ...build.place(null) });
  return type === 'kvmfr' ? [] : [{ path, sizeBytes }];
}
