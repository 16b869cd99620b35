import type { CpuSet } from '../words/cpu-list.ts';
import { DomainError } from '../words/errors.ts';
import type { Domain, DomainHugepages } from './domain.ts';
import { functionsOf, mediatedDevicesOf, usbOf } from './domain-devices.ts';
import {
  amount,
  child,
  childrenOf,
  elementAgain,
  elementLacks,
  elementProblem,
  kibOf,
  setOf,
} from './domain-elements.ts';
import { limitsOf, schedsOf } from './domain-tuning.ts';
import { parseUuid } from './domain-values.ts';
import { guestNameProblem } from './hook-call.ts';
import { quoted } from './parsed.ts';
import { parseXmlTree, type XmlElement, type XmlShape } from './xml-tree.ts';

/**
 * Our place in <metadata>, where libvirt keeps what it does not know:
 *
 *     <passqemu:profile xmlns:passqemu="urn:passqemu:1">
 *       <passqemu:key section="cpu" name="governor">performance</passqemu:key>
 *     </passqemu:profile>
 *
 * (`virsh metadata GUEST urn:passqemu:1 --key passqemu --set '<profile><key …>…</key></profile>'` writes it.)
 */
export const METADATA_NAMESPACE = 'urn:passqemu:1';

/**
 * Reads what of a libvirt domain matters to the host (libvirt's docs/formatdomain.rst). Only elements in their own places
 * count: what looks like a device inside somebody's metadata or <qemu:commandline> is none.
 */
export function parseDomain(xml: string): Domain {
  const root = parseXmlTree(xml, 'domain', DOMAIN_SHAPE);
  const devices = child(root, 'devices');
  const cells = cellsOf(child(child(root, 'cpu'), 'numa'));
  const vcpus = vcpusOf(child(root, 'vcpu'));
  return {
    name: nameOf(root),
    uuid: uuidOf(child(root, 'uuid')),
    memoryKib: memoryOf(child(root, 'memory'), cells),
    memtune: limitsOf(child(root, 'memtune')),
    functions: functionsOf(devices),
    usb: usbOf(devices),
    mediatedDevices: mediatedDevicesOf(devices),
    vcpus,
    ...pinsOf(child(root, 'cputune'), vcpus),
    vcpuScheds: schedsOf(child(root, 'cputune')),
    vcpuSet: vcpuSetOf(child(root, 'vcpu')),
    hugepages: hugepagesOf(child(child(root, 'memoryBacking'), 'hugepages')),
    ...memoryNodesOf(child(root, 'numatune')),
    cells,
    metadata: metadataOf(child(root, 'metadata')),
  };
}

const PROFILE_ELEMENT = `{${METADATA_NAMESPACE}}profile`;
const KEY_ELEMENT = `{${METADATA_NAMESPACE}}key`;

const IMAGE_SHAPE: Record<string, XmlShape> = { source: { address: {} } };
// A backing chain is nested: each image of a disk may be an NVMe function.
IMAGE_SHAPE.backingStore = IMAGE_SHAPE;

const DOMAIN_SHAPE: XmlShape = {
  name: {},
  uuid: {},
  memory: {},
  vcpu: {},
  cputune: { vcpupin: {}, emulatorpin: {}, iothreadpin: {}, vcpusched: {} },
  memtune: { hard_limit: {}, soft_limit: {}, swap_hard_limit: {}, min_guarantee: {} },
  numatune: { memory: {}, memnode: {} },
  memoryBacking: { hugepages: { page: {} } },
  cpu: { numa: { cell: {} } },
  devices: {
    hostdev: { source: { address: {}, vendor: {}, product: {} }, driver: {}, rom: {} },
    interface: { source: { address: {} }, driver: {}, rom: {} },
    disk: IMAGE_SHAPE,
  },
  metadata: { [PROFILE_ELEMENT]: { [KEY_ELEMENT]: {} } },
};

function nameOf(root: XmlElement): string {
  const name = child(root, 'name')?.text;
  if (name === undefined)
    throw new DomainError('Cannot read the domain XML: it has no <name>, must have one');
  const problem = guestNameProblem(name);
  if (problem !== null)
    throw new DomainError(`Cannot read the domain XML: its name ${quoted(name)} ${problem}`);
  return name;
}

function uuidOf(element: XmlElement | null): string | null {
  if (element === null) return null;
  return parseUuid(element.text) ?? elementProblem(element, null, element.text, 'a UUID');
}

/** <memory>, hot-plugged modules included; as libvirt does it, without <memory> the guest's cells say how much it is. */
function memoryOf(element: XmlElement | null, cells: Domain['cells']): number | null {
  if (element !== null) return kibOf(element, element.text, element.attributes.get('unit') ?? null);
  return cells.length === 0 ? null : cells.reduce((sum, cell) => sum + cell.memoryKib, 0);
}

function vcpusOf(element: XmlElement | null): number | null {
  if (element === null || element.text.trim() === '') return null;
  const vcpus = amount(element, null, element.text);
  return vcpus === 0 ? elementProblem(element, null, element.text, 'at least 1') : vcpus;
}

function vcpuSetOf(element: XmlElement | null): CpuSet | null {
  if (element === null || element.attributes.get('placement') === 'auto') return null;
  return element.attributes.has('cpuset') ? setOf(element, 'cpuset') : null;
}

function pinsOf(
  cputune: XmlElement | null,
  vcpus: number | null,
): Pick<Domain, 'vcpuPins' | 'iothreadPins' | 'emulatorPin'> {
  const vcpuPins = new Map<number, CpuSet>();
  const iothreadPins = new Map<number, CpuSet>();
  const emulator = child(cputune, 'emulatorpin');
  for (const pin of childrenOf(cputune, 'vcpupin')) {
    const vcpu = amount(pin, 'vcpu');
    // libvirt leaves out pins of vCPUs that the guest does not have.
    if (vcpus === null || vcpu < vcpus) addOnce(vcpuPins, vcpu, setOf(pin, 'cpuset'), pin, 'vcpu');
  }
  for (const pin of childrenOf(cputune, 'iothreadpin')) {
    addOnce(iothreadPins, amount(pin, 'iothread'), setOf(pin, 'cpuset'), pin, 'iothread');
  }
  return { vcpuPins, iothreadPins, emulatorPin: emulator === null ? null : setOf(emulator, 'cpuset') };
}

function hugepagesOf(element: XmlElement | null): DomainHugepages[] | null {
  if (element === null) return null;
  return childrenOf(element, 'page').map((page) => {
    const { attributes } = page;
    const size = attributes.get('size') ?? '';
    const sizeKib = kibOf(page, size, attributes.get('unit') ?? null, 'size');
    if (sizeKib === 0) elementProblem(page, 'size', size, 'more than nothing');
    return { sizeKib, nodeset: attributes.has('nodeset') ? setOf(page, 'nodeset') : null };
  });
}

function memoryNodesOf(
  numatune: XmlElement | null,
): Pick<Domain, 'memoryNodes' | 'memoryMode' | 'cellNodes'> {
  const memory = child(numatune, 'memory');
  const isAutomatic = memory?.attributes.get('placement') === 'auto';
  const cellNodes = new Map<number, CpuSet>();
  for (const node of childrenOf(numatune, 'memnode')) {
    addOnce(cellNodes, amount(node, 'cellid'), setOf(node, 'nodeset'), node, 'cellid');
  }
  return {
    memoryNodes: memory?.attributes.has('nodeset') && !isAutomatic ? setOf(memory, 'nodeset') : null,
    memoryMode: memory?.attributes.get('mode') ?? null,
    cellNodes,
  };
}

function cellsOf(numa: XmlElement | null): Domain['cells'] {
  return childrenOf(numa, 'cell').map((cell, index) => ({
    id: cell.attributes.has('id') ? amount(cell, 'id') : index,
    cpus: cell.attributes.has('cpus') ? setOf(cell, 'cpus') : [],
    memoryKib: kibOf(
      cell,
      cell.attributes.get('memory') ?? '',
      cell.attributes.get('unit') ?? null,
      'memory',
    ),
  }));
}

function metadataOf(metadata: XmlElement | null): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const profile of childrenOf(metadata, 'profile')) {
    for (const key of childrenOf(profile, 'key')) {
      const section = key.attributes.get('section');
      const name = key.attributes.get('name');
      if (section === undefined || name === undefined) elementLacks(key, 'section or no name');
      addOnce(keys, `${section}.${name}`, key.text.trim(), key, 'name');
    }
  }
  return keys;
}

function addOnce<K, V>(map: Map<K, V>, key: K, value: V, element: XmlElement, attribute: string): void {
  if (map.has(key)) elementAgain(element, attribute);
  map.set(key, value);
}
