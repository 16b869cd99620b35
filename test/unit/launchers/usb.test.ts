import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommandLine } from '../../../launchers/command-line.ts';
import type { Globals } from '../../../launchers/globals.ts';
import { usb } from '../../../launchers/usb.ts';
import { labMachine } from '../../fake/lab-machine.ts';

const BUS = '/sys/bus/pci/devices/0000:03:00.0/usb1';

/** What the command prints of the lab's machine, with a hub that has a mouse on its tenth port and a stick on its second. */
async function told(words: readonly string[], json = false): Promise<string> {
  const host = labMachine();
  const put = (folder: string, facts: Record<string, string>) => {
    for (const [name, text] of Object.entries(facts)) host.put(`${BUS}/${folder}/${name}`, `${text}\n`);
  };
  put('1-2', { devnum: '5', idVendor: '05e3', idProduct: '0608', bDeviceClass: '09', speed: '480' });
  put('1-2/1-2.10', { devnum: '6', idVendor: '046d', idProduct: 'c077', product: 'Mouse', speed: '1.5' });
  put('1-2/1-2.2', { devnum: '7', idVendor: '0781', idProduct: '5581', product: 'Ultra', speed: '5000' });
  const lines: string[] = [];
  const globals = {
    host,
    stateDir: '/run/passqemu',
    json,
    colour: false,
    out: (text: string) => void lines.push(text),
  };
  assert.equal(await usb(parseCommandLine(words, []), globals as unknown as Globals), 0);
  return lines.join('\n');
}

test('usb shows each controller with its verdict, and devices below their hubs in the order of the ports', async () => {
  const text = await told([]);
  assert.match(text, /^0000:03:00\.0 .*\[1b36:000d\]\n {2}driver xhci_hcd · IOMMU group \d+: can/);
  const from = text.indexOf('    1-2  ');
  assert.equal(
    text.slice(from, text.indexOf('\n  bus 2', from)),
    [
      '    1-2  unnamed [05e3:0608] · hub, 480 Mb/s',
      '      1-2.2  Ultra [0781:5581] · 5 Gb/s',
      '      1-2.10  Mouse [046d:c077] · 1.5 Mb/s',
    ].join('\n'),
  );
});

test('usb shows only what was asked for: devices with the text, or a controller as a whole', async () => {
  const text = await told(['ultra']);
  assert.match(text, /1-2\.2 {2}Ultra/);
  assert.doesNotMatch(text, /Mouse|bus 2/);
  assert.match(await told(['03:00']), /Mouse/);
  assert.equal(await told(['nothing like it']), 'No USB controller or device fits');
});

test('usb --json lists the controllers', async () => {
  const { controllers } = JSON.parse(await told([], true));
  assert.deepEqual(
    controllers.map(({ address, buses }: { address: string; buses: { bus: number }[] }) => [
      address,
      buses.map(({ bus }) => bus),
    ]),
    [
      ['0000:03:00.0', [1, 2]],
      ['0000:06:02.0', []],
    ],
  );
});
