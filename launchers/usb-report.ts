import type { UsbBus } from '../lib/host/usb.ts';
import type { DeviceReport, DevicesReport } from './devices-report.ts';

/** A USB controller, as `usb --json` prints it. */
export interface UsbController
  extends Pick<
    DeviceReport,
    'address' | 'vendorId' | 'deviceId' | 'name' | 'driver' | 'group' | 'heldBy' | 'inUse'
  > {
  readonly buses: readonly UsbBus[];
}

/** The USB controllers of the machine, in the order of their addresses. */
export function usbControllers({ devices }: DevicesReport): UsbController[] {
  return devices.flatMap(({ address, vendorId, deviceId, name, driver, group, heldBy, inUse, usb }) =>
    usb === null ? [] : [{ address, vendorId, deviceId, name, driver, group, heldBy, inUse, buses: usb }],
  );
}
