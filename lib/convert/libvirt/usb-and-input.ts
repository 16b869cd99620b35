import {
  aliasElement,
  bootElement,
  onOff,
  type Reading,
  readBoot,
  sectionOf,
  type Writing,
} from './parts.ts';
import { type XmlElement, xml } from './xml-writer.ts';

/** USB devices of the host, and the controller they hang on. */
export function writeUsb(writing: Writing): readonly XmlElement[] {
  const { source, dropList } = writing;
  const controller = source.yes('machine', 'usb') ? 'qemu-xhci' : 'none';
  const devices = source.sections('usb').flatMap((section) => {
    if (source.said(section, 'port') !== null) {
      source.said(section, 'boot');
      dropList.add(
        `[${section}]`,
        'libvirt knows USB devices by their ids, or by a number that changes at every plugging',
      );
      return [];
    }
    const [vendor = '', product = ''] = (source.said(section, 'id') ?? '').split(':');
    return [
      xml('hostdev', { mode: 'subsystem', type: 'usb', managed: 'yes' }, [
        xml('source', { startupPolicy: 'optional' }, [
          xml('vendor', { id: `0x${vendor}` }),
          xml('product', { id: `0x${product}` }),
        ]),
        bootElement(section, writing),
        aliasElement(section, writing),
      ]),
    ];
  });
  return [xml('controller', { type: 'usb', index: 0, model: controller }), ...devices];
}

export function writeInputs(writing: Writing): readonly XmlElement[] {
  const { source, dropList } = writing;
  return source.sections('input').map((section) => {
    const type = source.said(section, 'type') ?? 'evdev';
    const path = source.said(section, 'path');
    const bus = source.said(section, 'bus');
    const alias = aliasElement(section, writing);
    for (const key of type === 'evdev' ? ['bus'] : ['grab-all', 'repeat', 'toggle'])
      if (source.said(section, key) !== null)
        dropList.add(`[${section}] ${key}`, `it means nothing for type ${type}`);
    if (type !== 'evdev')
      return xml('input', { type, bus: type === 'tablet' ? 'usb' : (bus ?? 'virtio') }, [alias]);
    const isKeyboard = path!.endsWith('-kbd');
    const grab = source.yes(section, 'grab-all', isKeyboard);
    const repeat = source.yes(section, 'repeat', isKeyboard);
    const attributes = {
      dev: path,
      grab: grab ? 'all' : null,
      repeat: repeat ? onOff(true) : null,
      grabToggle: source.text(section, 'toggle'),
    };
    return xml('input', { type: 'evdev' }, [xml('source', attributes), alias]);
  });
}

export function readUsb(reading: Reading): void {
  const { devices, draft, dropList } = reading;
  const controllers = (devices?.all('controller') ?? []).filter((one) => one.attribute('type') === 'usb');
  draft.putYes(
    'machine',
    'usb',
    controllers.length === 0 || controllers.some((one) => one.attribute('model') !== 'none'),
  );
  for (const controller of controllers) controller.settle();
  for (const hub of devices?.all('hub') ?? []) hub.settle();
  for (const element of (devices?.all('hostdev') ?? []).filter((one) => one.attribute('type') === 'usb')) {
    const source = element.one('source');
    const ids = ['vendor', 'product'].map(
      (name) => /^0x([0-9a-f]{4})$/i.exec(source?.one(name)?.attribute('id') ?? '')?.[1],
    );
    if (ids.includes(undefined)) {
      dropList.add(
        `${element.path} by bus and device`,
        'the number changes at every plugging: write an id or a port',
      );
      element.settle();
      continue;
    }
    const section = sectionOf(element, 'usb', reading);
    draft.put(section, 'id', ids.join(':').toLowerCase());
    readBoot(element, section, reading);
    for (const name of ['mode', 'managed']) element.attribute(name);
    for (const name of ['address', 'alias', 'source']) element.one(name)?.settle();
  }
}

export function readInputs(reading: Reading): void {
  const { devices, draft } = reading;
  for (const element of devices?.all('input') ?? []) {
    const type = element.attribute('type') ?? '';
    const bus = element.attribute('bus') ?? (type === 'evdev' ? '' : 'ps2');
    // Every machine has these two; libvirt writes them down
    if (bus === 'ps2') {
      element.settle();
      continue;
    }
    const source = element.one('source');
    const path = source?.attribute('dev') ?? source?.attribute('evdev') ?? null;
    const isEvdev = type === 'evdev' || type === 'passthrough';
    const section = sectionOf(element, 'input', reading, isEvdev ? 'evdev' : type);
    draft.put(section, 'type', isEvdev ? 'evdev' : type, path === null ? null : 'evdev');
    if (path !== null) {
      const isKeyboard = path.endsWith('-kbd');
      draft.put(section, 'path', path);
      draft.putYes(section, 'grab-all', source?.attribute('grab') === 'all', isKeyboard);
      draft.putYes(section, 'repeat', source?.attribute('repeat') === 'on', isKeyboard);
      draft.put(section, 'toggle', source?.attribute('grabToggle') ?? null);
    } else if (type !== 'tablet') draft.put(section, 'bus', bus);
    element.attribute('model');
    for (const name of ['address', 'alias']) element.one(name)?.settle();
  }
}
