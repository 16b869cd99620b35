import type { Host } from '../host/host.ts';
import { readModuleStates } from '../host/kernel-modules.ts';
import { HostError } from '../words/errors.ts';
import { moduleFolderName } from '../words/vfio-driver.ts';
import type { StepKind } from './step-kind.ts';

/** How long a module's initialisation may take; it probes the functions whose override names its driver. */
const LOAD_MS = 30_000;

/**
 * Loads a kernel module that is not there yet. It stays: others may have come to use it, and `rmmod vfio_pci` leaves
 * every function that is bound but not open without a driver.
 */
export const moduleKind: StepKind<'module'> = {
  describe: ({ name }) => `load the module ${name}`,
  describeUndo: ({ name }) => `leave the module ${name} loaded`,

  observe: ({ name }, { host }) => ({ loaded: isLoaded(host, name) }),

  async apply({ name }, was, { host }) {
    if (was.loaded) return null;
    const { status, stderr, timedOut } = await host.run(['modprobe', '--', name], { timeoutMs: LOAD_MS });
    // Status 0 is no proof: a blacklist's "install … /bin/true" succeeds too
    if (status === 0 && isLoaded(host, name)) return null;
    const why = timedOut ? `modprobe has not ended within ${LOAD_MS / 1000} s` : lastLine(stderr);
    throw new HostError(
      `Cannot load the module ${name}: ${why ?? 'modprobe says that it has, but the kernel does not show it'}`,
      {
        path: `/sys/module/${name}`,
        hint: 'See whether the kernel’s modules are installed and none of /etc/modprobe.d keeps this one out (modprobe -v)',
      },
    );
  },

  undo: () => {},

  drift: ({ name }, _was, _got, { host }) =>
    isLoaded(host, name) ? null : `the module ${name} is not loaded any more`,
};

function isLoaded(host: Host, name: string): boolean {
  return readModuleStates(host, [name]).get(moduleFolderName(name)) === 'loaded';
}

function lastLine(text: string): string | null {
  return text.trim().split('\n').at(-1) || null;
}
