import type { FakeHost } from './fake-host.ts';

/** Puts a device of a class with its folder, its link in /sys/class and, given a number, its node; gives the folder. */
export function addClassDevice(
  host: FakeHost,
  className: string,
  path: string,
  node?: { readonly rdev: string; readonly devname: string },
): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  host.putFolder(path);
  host.putLink(`/sys/class/${className}/${name}`, path);
  if (node === undefined) return path;
  const [major, minor] = node.rdev.split(':');
  host.put(`${path}/dev`, `${node.rdev}\n`);
  host.put(`${path}/uevent`, `MAJOR=${major}\nMINOR=${minor}\nDEVNAME=${node.devname}\n`);
  host.putDevice(`/dev/${node.devname}`, className === 'block' ? 'block' : 'character', node.rdev);
  return path;
}

/** Puts a disk, a partition or a stacked block device. */
export function addBlock(host: FakeHost, path: string, rdev: string): string {
  const devname = path.slice(path.lastIndexOf('/') + 1);
  const isPartition = host.peek(`${path.slice(0, path.lastIndexOf('/'))}/dev`) !== null;
  if (isPartition) host.put(`${path}/partition`, '1\n');
  else host.putLink(`/sys/block/${devname}`, path);
  return addClassDevice(host, 'block', path, { rdev, devname });
}

/** Stacks a device mapper device, RAID array or bcache on others. */
export function addStacked(
  host: FakeHost,
  name: string,
  rdev: string,
  lower: readonly string[],
  files: Readonly<Record<string, string>> = {},
): string {
  const path = addBlock(host, `/sys/devices/virtual/block/${name}`, rdev);
  for (const [file, text] of Object.entries(files)) host.put(`${path}/${file}`, text);
  for (const below of lower) host.putLink(`${below}/holders/${name}`, path);
  return path;
}

/** Puts mounts as "major:minor root point type source" lines into /proc/self/mountinfo. */
export function putMounts(host: FakeHost, ...mounts: readonly string[]): void {
  const lines = mounts.map((mount, index) => {
    const [device, root, point, type, source] = mount.split(' ');
    return `${index + 20} 1 ${device} ${root} ${point} rw,relatime shared:1 - ${type} ${source} rw\n`;
  });
  host.put('/proc/self/mountinfo', lines.join(''));
}

/** Puts a network interface; `uppers` are stacked on it. */
export function addInterface(
  host: FakeHost,
  path: string,
  mac: string,
  uppers: readonly string[] = [],
): string {
  addClassDevice(host, 'net', path);
  host.put(`${path}/address`, `${mac}\n`);
  for (const upper of uppers) host.putLink(`${path}/upper_${upper}`, `/sys/devices/virtual/net/${upper}`);
  return path;
}

/** Starts a process that has a node open; gives its number. */
export function openNode(host: FakeHost, comm: string, node: string, cgroup = '/'): number {
  const pid = host.spawnProcess([comm]);
  host.putLink(`/proc/${pid}/fd/0`, '/dev/null');
  host.putLink(`/proc/${pid}/fd/7`, node);
  host.put(`/proc/${pid}/cgroup`, `0::${cgroup}\n`);
  return pid;
}
