import type { UsbDevice } from '../lib/host/usb.ts';
import type { CommandLine } from './command-line.ts';
import { readDevicesReport } from './devices-report.ts';
import { searchText } from './devices-text.ts';
import type { Globals } from './globals.ts';
import { type UsbController, usbControllers, usbReport } from './usb-report.ts';
import { formatUsb } from './usb-text.ts';

/** `passqemu usb [text]`: the controllers, whether each can be given as a whole, and what hangs on its ports. */
export async function usb(line: CommandLine, globals: Globals): Promise<number> {
  const report = readDevicesReport(globals.host, globals.stateDir);
  const text = line.words[0]?.toLowerCase() ?? '';
  const controllers = usbControllers(report).flatMap((one) => chosen(one, text) ?? []);
  if (globals.json) globals.out(JSON.stringify({ controllers: controllers.map(usbReport) }, null, 2));
  else if (controllers.length === 0)
    globals.out(text === '' ? 'There is no USB controller' : 'No USB controller or device fits');
  else globals.out(formatUsb(controllers, report, globals.colour));
  return 0;
}

/** The whole controller where the text is in its own description, else with those devices only that have it; null where none has. */
function chosen(controller: UsbController, text: string): UsbController | null {
  if (text === '' || searchText(controller).includes(text)) return controller;
  const buses = controller.usb
    .map((bus) => ({
      ...bus,
      devices: bus.devices.filter((device) => describeDevice(device).includes(text)),
    }))
    .filter(({ devices }) => devices.length > 0);
  return buses.length === 0 ? null : { ...controller, usb: buses };
}

function describeDevice({ id, name, port, kinds }: UsbDevice): string {
  return [id, name ?? '', port, ...kinds].join(' ').toLowerCase();
}
