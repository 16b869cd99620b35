import type { DisplayHolder } from '../host/display-picture.ts';

/** A container that a process runs in. */
export interface Container {
  /** "Docker's container 0123456789ab". */
  readonly words: string;
  readonly cgroup: string;
  /** What stops it: "docker stop 0123456789ab". */
  readonly stop: string;
  /** The unit whose end is the end of all of them, where there is one. */
  readonly unit: string | null;
}

/**
 * Docker's daemon stops its containers when it is stopped, and starts again those that are to be restarted (dockerd(8)). Where its
 * cgroup driver is "systemd" each has a scope of its own, with "cgroupfs" only a cgroup.
 */
const KINDS: readonly {
  readonly at: RegExp;
  readonly whose: string;
  readonly stop: (name: string) => string;
  readonly unit?: string;
}[] = [
  {
    at: /\/docker[-/]([0-9a-f]{64})(?:\.scope)?(?=\/|$)/,
    whose: 'Docker',
    stop: (name) => `docker stop ${name}`,
    unit: 'docker.service',
  },
  {
    at: /\/libpod-([0-9a-f]{64})(?:\.scope)?(?=\/|$)/,
    whose: 'Podman',
    stop: (name) => `podman stop ${name}`,
  },
  {
    at: /\/(?:cri-containerd|crio)-([0-9a-f]{64})\.scope(?=\/|$)/,
    whose: 'Kubernetes',
    stop: (name) => `crictl stop ${name}`,
  },
  {
    at: /\/lxc(?:\.payload\.|\/)([\w.-]{1,64})(?=\/|$)/,
    whose: 'LXC',
    stop: (name) => `lxc-stop ${name}, incus stop ${name} or pct stop ${name}`,
  },
];

/** The container that a process is in, by its cgroup; the outermost, where one is in another. Null outside. */
export function containerOf({ cgroup }: Pick<DisplayHolder, 'cgroup'>): Container | null {
  const found = KINDS.flatMap(({ at, whose, stop, unit }) => {
    const match = at.exec(cgroup);
    if (match === null) return [];
    // An id is told as short as its engine's own tools tell it
    const name = match[1]!.replace(/^([0-9a-f]{12})[0-9a-f]{52}$/, '$1');
    const end = match.index + match[0].length;
    const words = `${whose}’s container ${name}`;
    // A user's own engine is not the system's unit
    const engine = cgroup.startsWith('/user.slice/') ? null : (unit ?? null);
    return [{ end, container: { words, cgroup: cgroup.slice(0, end), stop: stop(name), unit: engine } }];
  });
  return found.sort((a, b) => a.end - b.end)[0]?.container ?? null;
}
