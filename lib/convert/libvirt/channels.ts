import { formatArgvWords, parseArgvWords } from '../../inputs/argv-words.ts';
import { isProblem } from '../../inputs/parsed.ts';
import { sizeText } from '../size-text.ts';
import { aliasElement, type Reading, readSlot, sectionOf, slotElement, type Writing } from './parts.ts';
import { type XmlElement, xml } from './xml-writer.ts';

const AGENT = 'org.qemu.guest_agent.0';

/** The TPM, shared folders, the serial port, the guest agent, the random numbers, the balloon and Looking Glass. */
export function writeChannels(writing: Writing): readonly (XmlElement | null)[] {
  const { source, dropList } = writing;
  const agent = source.yes('agent', 'enable');
  const path = source.said('agent', 'path');
  if (!agent && path !== null) dropList.add('[agent] path', 'there is no agent');
  return [
    ...source.sections('share').map((section) => shareElement(section, writing)),
    serialElement(writing),
    agent
      ? xml('channel', { type: 'unix' }, [
          xml('source', { mode: 'bind', path }),
          xml('target', { type: 'virtio', name: AGENT }),
        ])
      : null,
    tpmElement(writing),
    source.yes('machine', 'rng')
      ? xml('rng', { model: 'virtio' }, [xml('backend', { model: 'random' }, '/dev/urandom')])
      : null,
    xml('memballoon', { model: source.yes('machine', 'balloon') ? 'virtio' : 'none' }),
    lookingGlass({ source, dropList }),
  ];
}

function shareElement(section: string, writing: Writing): XmlElement {
  const { source } = writing;
  const cache = source.text(section, 'cache');
  const binary = source.said(section, 'virtiofsd');
  const mode = cache === 'always' ? 'always' : cache === 'never' ? 'none' : null;
  return xml('filesystem', { type: 'mount', accessmode: 'passthrough' }, [
    xml('driver', { type: 'virtiofs' }),
    binary === null && mode === null
      ? null
      : xml('binary', { path: binary }, [mode === null ? null : xml('cache', { mode })]),
    xml('source', { dir: source.said(section, 'source') }),
    xml('target', { dir: source.said(section, 'tag') ?? section.slice('share '.length) }),
    source.yes(section, 'read-only') ? xml('readonly') : null,
    aliasElement(section, writing),
    slotElement(section, writing),
  ]);
}

function serialElement({ source, dropList }: Writing): XmlElement | null {
  const type = source.text('serial', 'type');
  const path = source.said('serial', 'path');
  const isaPort = xml('target', { port: 0 });
  if (type === 'none') return null;
  if (type === 'file') return xml('serial', { type: 'file' }, [xml('source', { path }), isaPort]);
  if (type === 'socket' && path !== null)
    return xml('serial', { type: 'unix' }, [xml('source', { mode: 'bind', path }), isaPort]);
  if (type === 'stdio')
    dropList.add(
      '[serial] type = stdio',
      'libvirt’s QEMU has no terminal; written as pty, virsh console shows it',
    );
  if (type === 'socket')
    dropList.add(
      '[serial] type = socket',
      'the socket is one of passqemu’s own; written as pty, virsh console shows it',
    );
  return xml('serial', { type: 'pty' }, [isaPort]);
}

function tpmElement({ source, dropList }: Writing): XmlElement | null {
  const type = source.text('tpm', 'type');
  const path = source.said('tpm', 'path');
  if (type === 'none') {
    if (source.said('tpm', 'model') !== null) dropList.add('[tpm] model', 'there is no TPM without a type');
    return null;
  }
  if (source.said('tpm', 'state') !== null)
    dropList.add('[tpm] state', 'libvirt keeps the state in a place of its own, by the guest’s UUID');
  const backend =
    type === 'swtpm'
      ? xml('backend', { type: 'emulator', version: '2.0' })
      : xml('backend', { type: 'passthrough' }, [xml('device', { path: path ?? '/dev/tpm0' })]);
  return xml('tpm', { model: `tpm-${source.text('tpm', 'model')}` }, [backend]);
}

/** libvirt makes the shared memory in /dev/shm by its name; kvmfr and a path of another place have no element. */
function lookingGlass({ source, dropList }: Pick<Writing, 'source' | 'dropList'>): XmlElement | null {
  if (source.keys('looking-glass').length === 0) return null;
  const type = source.text('looking-glass', 'type');
  const path = source.said('looking-glass', 'path') ?? '/dev/shm/looking-glass';
  const name = /^\/dev\/shm\/([A-Za-z0-9_.-]+)$/.exec(path)?.[1] ?? null;
  const size = source.kib('looking-glass', 'size');
  if (type !== 'shm' || name === null || size === null) {
    const why =
      type !== 'shm' || name === null
        ? 'libvirt’s shared memory is in /dev/shm'
        : 'libvirt must have the size of its memory: write size beside the resolution';
    dropList.add('[looking-glass]', why);
    for (const key of source.keys('looking-glass')) source.said('looking-glass', key);
    return null;
  }
  for (const key of ['resolution', 'hdr'])
    if (source.said('looking-glass', key) !== null)
      dropList.add(`[looking-glass] ${key}`, 'libvirt only knows the size');
  return xml('shmem', { name }, [
    xml('model', { type: 'ivshmem-plain' }),
    xml('size', { unit: 'KiB' }, String(size)),
  ]);
}

/** <sysinfo type='fwcfg'> and <qemu:commandline>. */
export function writeRaw({ source, dropList }: Writing): {
  readonly fwCfg: XmlElement | null;
  readonly commandline: XmlElement | null;
} {
  const entries = source.sections('fw-cfg').map((section) => {
    const text = source.said(section, 'text');
    return xml(
      'entry',
      { name: source.said(section, 'name'), file: source.said(section, 'file') },
      text ?? [],
    );
  });
  const labels = source.keys('arguments');
  const words = labels.flatMap((label) => {
    const parsed = parseArgvWords(source.said('arguments', label)!);
    return isProblem(parsed) ? [] : parsed.value;
  });
  if (labels.length > 1)
    dropList.add(
      `[arguments] ${labels.join(', ')}`,
      'the labels are lost, the words are all there in their order',
    );
  return {
    fwCfg: entries.length === 0 ? null : xml('sysinfo', { type: 'fwcfg' }, entries),
    commandline:
      words.length === 0
        ? null
        : xml(
            'qemu:commandline',
            {},
            words.map((value) => xml('qemu:arg', { value })),
          ),
  };
}

export function readChannels(reading: Reading): void {
  readShares(reading);
  readSerial(reading);
  readTpm(reading);
  readRaw(reading);
  const { devices, draft } = reading;
  const channels = (devices?.all('channel') ?? []).filter(
    (one) => one.one('target')?.attribute('name') === AGENT,
  );
  draft.putYes('agent', 'enable', channels.length > 0);
  const path = channels[0]?.one('source')?.attribute('path') ?? null;
  // libvirt writes its own path into a running guest's XML
  if (path !== null && !path.includes('/libvirt/')) draft.put('agent', 'path', path);
  for (const channel of channels) channel.settle();
  const rngs = devices?.all('rng') ?? [];
  draft.putYes('machine', 'rng', rngs.length > 0);
  for (const rng of rngs) rng.settle();
  const balloon = devices?.one('memballoon') ?? null;
  if (balloon !== null) draft.putYes('machine', 'balloon', balloon.attribute('model') !== 'none');
  balloon?.settle();
  for (const shmem of devices?.all('shmem') ?? []) {
    if (shmem.one('model')?.attribute('type') !== 'ivshmem-plain' || draft.keys('looking-glass').length > 0)
      continue;
    const size = shmem.one('size');
    const kib =
      Number(size?.text() ?? 0) *
      ({ K: 1, KiB: 1, M: 1024, MiB: 1024, G: 1024 ** 2 }[size?.attribute('unit') ?? 'M'] ?? 1);
    draft.put('looking-glass', 'size', sizeText(kib));
    draft.put('looking-glass', 'path', `/dev/shm/${shmem.attribute('name') ?? ''}`, '/dev/shm/looking-glass');
    for (const name of ['address', 'alias']) shmem.one(name)?.settle();
  }
}

function readShares(reading: Reading): void {
  const { devices, draft, dropList } = reading;
  for (const share of devices?.all('filesystem') ?? []) {
    if (
      share.one('driver')?.attribute('type') !== 'virtiofs' ||
      share.one('source')?.attribute('dir') == null
    ) {
      dropList.add(share.path, 'folders are shared by virtiofs');
      share.settle();
      continue;
    }
    const tag = share.one('target')?.attribute('dir') ?? 'share';
    const proposed = /^[A-Za-z0-9][A-Za-z0-9_-]{0,35}$/.test(tag) ? tag : 'share';
    const section = sectionOf(share, 'share', reading, proposed);
    draft.put(section, 'source', share.one('source')!.attribute('dir'));
    draft.put(section, 'tag', tag, section.slice('share '.length));
    draft.putYes(section, 'read-only', share.one('readonly') !== null);
    const binary = share.one('binary');
    draft.put(section, 'virtiofsd', binary?.attribute('path') ?? null);
    const mode = binary?.one('cache')?.attribute('mode') ?? null;
    draft.put(section, 'cache', mode === 'always' ? 'always' : mode === 'none' ? 'never' : 'auto');
    for (const name of ['type', 'accessmode']) share.attribute(name);
    share.one('driver')?.attribute('queue');
    readSlot(share, section, reading);
    share.one('alias')?.settle();
  }
}

function readSerial({ devices, draft, dropList }: Reading): void {
  for (const console of devices?.all('console') ?? []) console.settle();
  const [serial = null, ...others] = devices?.all('serial') ?? [];
  for (const one of others) {
    dropList.add(one.path, 'a guest has one serial port');
    one.settle();
  }
  if (serial === null) return;
  const type = serial.attribute('type') ?? '';
  const path = serial.one('source')?.attribute('path') ?? null;
  const ours = { pty: 'pty', file: 'file', unix: 'socket', stdio: 'stdio' }[type];
  if (ours === undefined)
    dropList.add(`${serial.path} (type=${type})`, 'it ends in a socket, a pty or a file');
  else draft.put('serial', 'type', ours);
  if (ours === 'file' || ours === 'socket') draft.put('serial', 'path', path);
  serial.settle();
}

function readTpm({ devices, draft, dropList }: Reading): void {
  const tpm = devices?.one('tpm') ?? null;
  if (tpm === null) return;
  const backend = tpm.one('backend');
  const type = { emulator: 'swtpm', passthrough: 'host' }[backend?.attribute('type') ?? ''];
  if (type === undefined) dropList.add(tpm.path, 'TPMs are those of swtpm and of the host');
  else draft.put('tpm', 'type', type);
  const version = backend?.attribute('version') ?? '2.0';
  if (version !== '2.0') dropList.add(`${tpm.path}/backend/@version=${version}`, 'the TPM is 2.0');
  if (type === 'swtpm')
    dropList.add(
      `${tpm.path}, its state`,
      'what the guest has stored stays with libvirt, in /var/lib/libvirt/swtpm; copy it into [tpm] state to keep it',
    );
  if (type === 'host')
    draft.put('tpm', 'path', backend?.one('device')?.attribute('path') ?? null, '/dev/tpm0');
  draft.put('tpm', 'model', tpm.attribute('model')?.replace('tpm-', '') ?? 'tis');
  tpm.settle();
}

const QEMU = '{http://libvirt.org/schemas/domain/qemu/1.0}';

function readRaw({ root, draft, dropList }: Reading): void {
  for (const sysinfo of root.all('sysinfo').filter((one) => one.attribute('type') === 'fwcfg')) {
    for (const entry of sysinfo.all('entry')) {
      const section = `fw-cfg ${draft.freeLabel('fw-cfg', 'blob')}`;
      draft.put(section, 'name', entry.attribute('name'));
      draft.put(section, 'file', entry.attribute('file'));
      draft.put(section, 'text', entry.text() || null);
    }
  }
  const words = (root.one(`${QEMU}commandline`)?.all(`${QEMU}arg`) ?? []).map(
    (arg) => arg.attribute('value') ?? '',
  );
  if (words.some((word) => word === '' || /[\r\n\0]/.test(word)))
    dropList.add('/domain/qemu:commandline', 'a word of it is empty or has more than one line');
  else if (words.length > 0) draft.set('arguments', 'more', formatArgvWords(words));
}
