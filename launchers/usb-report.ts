import type { UsbBus } from '../lib/host/usb.ts';
import type { DeviceReport, DevicesReport } from './devices-report.ts';

/** A function that is a USB controller. */
export type UsbController = DeviceReport & { readonly usb: readonly UsbBus[] };

/** The USB controllers of the machine, in the order of their addresses. */
export function usbControllers({ devices }: DevicesReport): UsbController[] {
  return devices.filter((device): device is UsbController => device.usb !== null);
}

/** One controller, as `usb --json` prints it. */
export function usbReport({
  address,
  vendorId,
  deviceId,
  name,
  driver,
  group,
  heldBy,
  inUse,
  usb: buses,
}: UsbController) {
  return { address, vendorId, deviceId, name, driver, group, heldBy, inUse, buses };
}
