import type { Labelled } from '../inputs/run-profile.ts';
import { idOf } from './option.ts';
import type { RunBuild } from './run-build.ts';

/** The xHCI controller with what hangs on it, and keyboards, mice and tablets. */
export function addUsbAndInput(build: RunBuild): void {
  for (const device of build.run.usb) {
    needUsb(build, `[usb ${device.label}]`);
    build.device('usb-host', {
      id: idOf('usb', device.label),
      bus: 'usb.0',
      vendorid: device.id === null ? null : `0x${device.id.vendorId}`,
      productid: device.id === null ? null : `0x${device.id.productId}`,
      hostbus: device.port?.bus,
      hostport: device.port?.port,
      bootindex: device.boot,
    });
  }
  for (const input of build.run.inputs) addInput(build, input);
}

/** Other parts hang their devices on the controller, so it comes before all of them. */
export function addUsbController(build: RunBuild): void {
  if (!build.run.machine.usb) return;
  build.device('qemu-xhci', { id: 'usb', p2: 15, p3: 15, ...build.place(null) });
}

/** Complains where the profile has no controller for it. */
export function needUsb(build: RunBuild, name: string): void {
  if (build.run.machine.usb) return;
  build.refuse(
    'no-usb',
    `Cannot give ${name} to the guest: usb = no in [machine] leaves it without a USB controller`,
    'Leave usb out, or this device',
  );
}

function addInput(build: RunBuild, input: Labelled<'input'>): void {
  const id = idOf('input', input.label);
  const isEvdev = input.type === 'evdev' || input.path !== null;
  const isKeyboard = isEvdev ? input.path?.includes('kbd') === true : input.type === 'keyboard';
  if (isEvdev) {
    build.needFile(input.path!, `[input ${input.label}]`, ['character']);
    build.object('input-linux', {
      id: `${id}-evdev`,
      evdev: input.path,
      grab_all: (input.grabAll ?? isKeyboard) || null,
      repeat: (input.repeat ?? isKeyboard) || null,
      'grab-toggle': input.toggle,
    });
  }
  if (input.type === 'tablet') {
    needUsb(build, `[input ${input.label}]`);
    build.device('usb-tablet', { id, bus: 'usb.0' });
  } else if (input.bus === 'usb') {
    needUsb(build, `[input ${input.label}]`);
    build.device(isKeyboard ? 'usb-kbd' : 'usb-mouse', { id, bus: 'usb.0' });
  } else {
    // Until the guest has a driver for it, its PS/2 keyboard and mouse get what it would
    build.device(isKeyboard ? 'virtio-keyboard-pci' : 'virtio-mouse-pci', { id, ...build.place(null) });
  }
}
