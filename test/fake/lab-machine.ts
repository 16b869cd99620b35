import { addBlock, addClassDevice, addInterface } from './device-model.ts';
import { FakeHost } from './fake-host.ts';
import { addPciDevice } from './pci-model.ts';

/** The functions of the lab's machine (test/lab), bound as after boot, with what hangs on them. */
export function labMachine(): FakeHost {
  const host = new FakeHost();
  const port = (address: string, group: number) =>
    addPciDevice(host, {
      address,
      vendor: '1b36',
      device: '000c',
      class: '060400',
      group,
      driver: 'pcieport',
    });
  addPciDevice(host, {
    address: '0000:00:03.0',
    vendor: '1af4',
    device: '1001',
    subsystem: '1af4:0002',
    class: '010000',
    group: 2,
    driver: 'virtio-pci',
    resetMethods: null,
  });
  addBlock(host, '/sys/devices/pci0000:00/0000:00:03.0/virtio2/block/vda', '254:0');
  host.put('/proc/self/mountinfo', '21 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n');

  port('0000:00:10.0', 4);
  const nic = addPciDevice(host, {
    address: '0000:01:00.0',
    vendor: '8086',
    device: '10d3',
    subsystem: '8086:0000',
    class: '020000',
    group: 11,
    driver: 'e1000e',
    resetMethods: 'pm bus',
    parent: '0000:00:10.0',
  });
  addInterface(host, `${nic}/net/enp1s0`, '52:54:00:aa:00:01');

  port('0000:00:10.1', 5);
  const nvme0 = addNvme(host, '0000:02:00.0', '0000:00:10.1', 12, 'LABNVME0');
  addBlock(host, `${nvme0}/nvme/nvme0/nvme0n1`, '259:0');

  port('0000:00:10.2', 6);
  const xhci = addPciDevice(host, {
    address: '0000:03:00.0',
    vendor: '1b36',
    device: '000d',
    subsystem: '1af4:1100',
    class: '0c0330',
    group: 13,
    driver: 'xhci_hcd',
    resetMethods: 'bus',
    parent: '0000:00:10.2',
  });
  addUsb(host, xhci);

  port('0000:00:10.3', 7);
  const gpu = addPciDevice(host, {
    address: '0000:04:00.0',
    vendor: '1234',
    device: '1111',
    subsystem: '1af4:1100',
    class: '030000',
    group: 14,
    driver: 'bochs-drm',
    bootVga: false,
    resetMethods: 'bus',
    parent: '0000:00:10.3',
    bars: [
      { index: 0, sizeBytes: 16 << 20 },
      { index: 2, sizeBytes: 4096 },
    ],
  });
  addClassDevice(host, 'drm', `${gpu}/drm/card1`, { rdev: '226:1', devname: 'dri/card1' });
  addClassDevice(host, 'graphics', `${gpu}/graphics/fb1`, { rdev: '29:1', devname: 'fb1' });
  const sound = addPciDevice(host, {
    address: '0000:04:00.1',
    vendor: '8086',
    device: '293e',
    subsystem: '1af4:1100',
    class: '040300',
    group: 14,
    driver: 'snd_hda_intel',
    resetMethods: null,
    parent: '0000:00:10.3',
  });
  addClassDevice(host, 'sound', `${sound}/sound/card0`);
  addClassDevice(host, 'sound', `${sound}/sound/card0/controlC0`, {
    rdev: '116:6',
    devname: 'snd/controlC0',
  });

  port('0000:00:10.4', 8);
  const bridge = { vendor: '1b36', device: '000e', class: '060400', group: 15, parent: '0000:00:10.4' };
  addPciDevice(host, { ...bridge, address: '0000:05:00.0' });
  const old = addPciDevice(host, {
    address: '0000:06:01.0',
    vendor: '8086',
    device: '100e',
    subsystem: '1af4:1100',
    class: '020000',
    group: 15,
    driver: 'e1000',
    resetMethods: 'bus',
    parent: '0000:05:00.0',
  });
  addInterface(host, `${old}/net/ens1`, '52:54:00:aa:00:02');
  addPciDevice(host, {
    address: '0000:06:02.0',
    vendor: '8086',
    device: '293a',
    subsystem: '1af4:1100',
    class: '0c0320',
    group: 15,
    driver: 'ehci-pci',
    resetMethods: null,
    parent: '0000:05:00.0',
  });

  port('0000:40:00.0', 16);
  const nvme1 = addNvme(host, '0000:41:00.0', '0000:40:00.0', 17, 'LABNVME1');
  addBlock(host, `${nvme1}/nvme/nvme1/nvme1n1`, '259:1');
  return host;
}

function addNvme(host: FakeHost, address: string, parent: string, group: number, serial: string): string {
  const path = addPciDevice(host, {
    address,
    vendor: '1b36',
    device: '0010',
    subsystem: '1af4:1100',
    class: '010802',
    group,
    driver: 'nvme',
    node: address.startsWith('0000:41') ? 1 : -1,
    resetMethods: 'flr bus',
    parent,
  });
  const minor = serial.at(-1);
  const controller = `${path}/nvme/nvme${minor}`;
  addClassDevice(host, 'nvme', controller, { rdev: `246:${minor}`, devname: `nvme${minor}` });
  // As the kernel pads it
  host.put(`${controller}/serial`, `${serial.padEnd(20)}\n`);
  return path;
}

/** A keyboard at port 1, a disk at port 2; and the old keyboard port that every PC has. */
function addUsb(host: FakeHost, controller: string): void {
  host.put(`${controller}/usb1/maxchild`, '4\n').put(`${controller}/usb2/maxchild`, '4\n');
  const device = (path: string, number: number, id: string, product: string) => {
    const [vendor, code] = id.split(':');
    host
      .put(`${path}/devnum`, `${number}\n`)
      .put(`${path}/idVendor`, `${vendor}\n`)
      .put(`${path}/idProduct`, `${code}\n`);
    host.put(`${path}/manufacturer`, 'QEMU\n').put(`${path}/product`, `${product}\n`);
  };
  device(`${controller}/usb1/1-1`, 2, '0627:0001', 'USB Keyboard');
  device(`${controller}/usb2/2-2`, 3, '46f4:0001', 'USB HARDDRIVE');
  addBlock(host, `${controller}/usb2/2-2/2-2:1.0/host0/target0:0:0/0:0:0:0/block/sda`, '8:0');
  addKeyboard(host, `${controller}/usb1/1-1/1-1:1.0/0003:0627:0001.0001/input/input2`, 'QEMU USB Keyboard');
  addKeyboard(host, '/sys/devices/platform/i8042/serio0/input/input0', 'AT Translated Set 2 keyboard');
  const button = addClassDevice(host, 'input', '/sys/devices/LNXSYSTM:00/LNXPWRBN:00/input/input1');
  host.put(`${button}/capabilities/key`, '10000000000000 0\n').put(`${button}/name`, 'Power Button\n');
}

function addKeyboard(host: FakeHost, path: string, name: string): void {
  addClassDevice(host, 'input', path);
  host.put(`${path}/capabilities/key`, '1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe\n');
  host.put(`${path}/name`, `${name}\n`);
}
