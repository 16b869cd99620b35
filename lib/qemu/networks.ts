import { createHash } from 'node:crypto';
import type { Labelled } from '../inputs/run-profile.ts';
import { idOf, option } from './option.ts';
import type { RunBuild } from './run-build.ts';

type Network = Labelled<'network'>;

const MODELS = {
  virtio: 'virtio-net-pci',
  e1000e: 'e1000e',
  e1000: 'e1000',
  rtl8139: 'rtl8139',
  vmxnet3: 'vmxnet3',
} as const;

/** Network cards, and what each hangs on. */
export function addNetworks(build: RunBuild): void {
  for (const network of build.run.networks) {
    const id = idOf('net', network.label);
    build.add('-netdev', backendOf(build, network, id));
    const isMulti = network.queues > 1;
    build.device(MODELS[network.model], {
      id: idOf('network', network.label),
      netdev: id,
      mac: network.mac ?? stableMac(build.run.guest, network.label),
      mq: isMulti || null,
      // Two for each pair of queues, one for configuration, one for control
      vectors: isMulti ? 2 * network.queues + 2 : null,
      bootindex: network.boot,
      ...build.place(network.slot),
    });
  }
}

/** An address of QEMU's own range that is always the same for a guest and a card's label. */
export function stableMac(guest: string, label: string): string {
  const digest = createHash('sha256').update(`${guest}\0${label}`).digest('hex');
  return `52:54:00:${digest.slice(0, 2)}:${digest.slice(2, 4)}:${digest.slice(4, 6)}`;
}

function backendOf(build: RunBuild, network: Network, id: string): string {
  const { picture } = build;
  const name = `[network ${network.label}]`;
  const vhost = network.model === 'virtio' && (network.vhost ?? picture.vhostNet);
  if (network.vhost === true && !picture.vhostNet) {
    build.refuse(
      'no-vhost',
      `Cannot let the kernel serve ${name}: there is no /dev/vhost-net`,
      'modprobe vhost_net, or leave vhost out',
    );
  }
  const needed = network.type === 'user' ? 'user' : 'tap';
  if (!build.qemu.netdevs.has(needed)) build.refuseLack(`the network backend ${needed}`);
  if (network.type === 'user') return userBackend(build, network, id);

  const device = network.bridge ?? network.interface ?? '';
  const found = picture.interfaces.get(device);
  if (found === undefined) {
    build.refuse(
      'no-interface',
      `Cannot connect ${name}: there is no interface ${device}`,
      'ip link shows which there are',
    );
  }
  if (network.type === 'bridge') {
    if (found?.isBridge === false)
      build.refuse('no-bridge', `Cannot connect ${name}: ${device} is no bridge`, null);
    if (picture.programs.bridgeHelper === null) {
      build.refuse(
        'no-bridge-helper',
        `Cannot connect ${name} to ${device}: qemu-bridge-helper is not installed`,
        'Install it with QEMU, or make a tap yourself',
      );
    }
    return option('tap', { id, br: device, helper: picture.programs.bridgeHelper, vhost: vhost || null });
  }
  if (network.type === 'tap') {
    if (found?.isTap === false) build.refuse('no-tap', `Cannot connect ${name}: ${device} is no tap`, null);
    const queues = network.queues > 1 ? network.queues : null;
    return option('tap', {
      id,
      ifname: device,
      script: 'no',
      downscript: 'no',
      vhost: vhost || null,
      queues,
    });
  }
  // A macvtap has no name that QEMU could open, only a device by its index; each queue is an open of its own
  const path = `/dev/tap${found?.index ?? 0}`;
  const fds = Array.from({ length: network.queues }, () => build.descriptor(path));
  return fds.length === 1
    ? option('tap', { id, fd: fds[0]!, vhost: vhost || null })
    : option('tap', { id, fds: fds.join(':'), vhost: vhost || null });
}

function userBackend(build: RunBuild, network: Network, id: string): string {
  for (const { protocol, hostPort } of network.forward ?? []) {
    if (!build.picture.portsInUse.has(`${protocol}:${hostPort}`)) continue;
    build.refuse(
      'port-in-use',
      `Cannot forward ${protocol} port ${hostPort} by [network ${network.label}]: another program listens on it`,
      'Choose another port of the host',
    );
  }
  const forwards = (network.forward ?? []).map(
    ({ protocol, address, hostPort, guestPort }) =>
      `hostfwd=${protocol}:${address}:${hostPort}-:${guestPort}`,
  );
  return [option('user', { id }), ...forwards].join(',');
}
