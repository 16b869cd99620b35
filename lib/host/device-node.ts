import type { PciAddress } from '../words/pci-address.ts';
import type { Host } from './host.ts';

/** A device node through which programs use a function. */
export interface DeviceNode {
  readonly address: PciAddress;
  /** As it is called below /dev. */
  readonly path: string;
  /** major:minor. */
  readonly rdev: string;
  readonly type: 'block' | 'character';
  /** Serves functions beside the asked-for ones as well (nvidiactl, kfd): who has it open need not be using these. */
  readonly shared: boolean;
}

/** What of a class device's uevent file makes a node: MAJOR, MINOR and DEVNAME. */
export function readNode(
  host: Host,
  folder: string,
  about: Pick<DeviceNode, 'address' | 'shared' | 'type'>,
): DeviceNode | null {
  const facts = new Map<string, string>();
  for (const line of (host.readOptional(`${folder}/uevent`) ?? '').split('\n')) {
    const at = line.indexOf('=');
    facts.set(line.slice(0, at), line.slice(at + 1));
  }
  const [major, minor] = [facts.get('MAJOR') ?? '', facts.get('MINOR') ?? ''];
  if (!/^\d+$/.test(major) || !/^\d+$/.test(minor)) return null;
  const name = facts.get('DEVNAME') ?? folder.slice(folder.lastIndexOf('/') + 1);
  return { ...about, path: `/dev/${name}`, rdev: `${major}:${minor}` };
}
