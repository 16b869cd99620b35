import { addClassDevice } from './device-model.ts';
import { addFirmwareFrameBuffer } from './display-model.ts';
import type { FakeHost } from './fake-host.ts';
import { modelOf } from './pci-machine.ts';

const DEVICE = 'simple-framebuffer.0';
const FOLDER = `/sys/devices/platform/${DEVICE}`;
const CONSOLE = '/sys/devices/virtual/vtconsole/vtcon1';

/**
 * Puts the firmware's picture on a card that has no driver of its own, with simpledrm on it: a card and a connector of DRM, a frame
 * buffer with the text consoles on it, and the memory that they claim. All of it goes when simpledrm is unbound, and the device itself
 * when VFIO takes the card (drivers/gpu/drm/tiny/simpledrm.c, drivers/video/aperture.c).
 */
export function addSimpledrm(host: FakeHost, address: string): void {
  addFirmwareFrameBuffer(host, DEVICE, (bound, machine) =>
    bound ? appear(machine, address) : disappear(machine, address),
  );
  modelOf(host).onVfio.push((machine, taken) => {
    if (taken !== address) return;
    disappear(machine, address);
    machine.drop(`/sys/bus/platform/devices/${DEVICE}`);
    putMemory(machine, address, []);
  });
}

function appear(host: FakeHost, address: string): void {
  addClassDevice(host, 'drm', `${FOLDER}/drm/card0`, { rdev: '226:0', devname: 'dri/card0' });
  const connector = addClassDevice(host, 'drm', `${FOLDER}/drm/card0/card0-Unknown-1`);
  host.put(`${connector}/status`, 'connected\n');
  addClassDevice(host, 'graphics', `${FOLDER}/graphics/fb0`, { rdev: '29:0', devname: 'fb0' });
  host.put(`${FOLDER}/graphics/fb0/name`, 'simpledrmdrmfb\n');
  putMemory(host, address, ['BOOTFB', 'simpledrm']);
  host.put(`${CONSOLE}/name`, '(M) frame buffer device\n').put(`${CONSOLE}/bind`, '1\n');
  host.putLink('/sys/class/vtconsole/vtcon1', CONSOLE);
}

function disappear(host: FakeHost, address: string): void {
  for (const path of ['drm/card0', 'drm/card0-Unknown-1', 'graphics/fb0', 'vtconsole/vtcon1'])
    host.drop(`/sys/class/${path}`);
  for (const path of [FOLDER, CONSOLE, '/dev/dri/card0', '/dev/fb0']) host.drop(path);
  putMemory(host, address, ['BOOTFB']);
}

/** Each claim lies in the one before it. */
function putMemory(host: FakeHost, address: string, claims: readonly string[]): void {
  const lines = [address, ...claims].map(
    (name, depth) => `${'  '.repeat(depth + 1)}d0000000-d02fffff : ${name}\n`,
  );
  host.put('/proc/iomem', `c0000000-febfffff : PCI Bus 0000:00\n${lines.join('')}`);
}
