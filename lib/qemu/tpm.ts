import { option } from './option.ts';
import type { RunBuild } from './run-build.ts';
import type { RunPreparation, Sidecar } from './run-plan.ts';

/** What must be there before QEMU for the guest's TPM. */
export interface TpmParts {
  readonly sidecars: readonly Sidecar[];
  readonly folders: readonly string[];
  readonly once: RunPreparation['once'];
}

/** The TPM: swtpm with a state that stays (keys of disks are in it), or the host's own. */
export function addTpm(build: RunBuild): TpmParts {
  const { tpm } = build.run;
  if (tpm.type === 'none') return { sidecars: [], folders: [], once: [] };
  const model = tpm.model === 'crb' ? 'tpm-crb' : 'tpm-tis';
  if (tpm.type === 'host') {
    const path = tpm.path ?? '/dev/tpm0';
    build.needFile(path, 'the host’s TPM', ['character']);
    build.add('-tpmdev', option('passthrough', { id: 'tpm', path }));
    build.device(model, { id: 'tpm-device', tpmdev: 'tpm' });
    return { sidecars: [], folders: [], once: [] };
  }
  const { programs, runFolder, dataFolder } = build.picture;
  const socket = `${runFolder}/tpm.sock`;
  const state = tpm.state ?? `${dataFolder}/tpm`;
  if (programs.swtpm === null || programs.swtpmSetup === null) {
    build.refuse(
      'no-swtpm',
      `Cannot give ${build.run.guest} a TPM: swtpm is not installed`,
      'Install the packages swtpm and swtpm-tools',
    );
  }
  if (/[,]/.test(state + socket))
    build.refuse(
      'tpm-path',
      `Cannot keep the TPM’s state in ${state}: swtpm takes no comma in a path`,
      'Choose another folder',
    );
  build.add('-chardev', option('socket', { id: 'tpm', path: socket }));
  build.add('-tpmdev', option('emulator', { id: 'tpm', chardev: 'tpm' }));
  build.device(model, { id: 'tpm-device', tpmdev: 'tpm' });
  const argv = [
    programs.swtpm ?? 'swtpm',
    'socket',
    '--tpm2',
    '--tpmstate',
    `dir=${state},mode=0600`,
    '--ctrl',
    `type=unixio,path=${socket},mode=0600`,
    '--terminate',
  ];
  const setup = [
    programs.swtpmSetup ?? 'swtpm_setup',
    '--tpm2',
    '--tpmstate',
    state,
    '--create-ek-cert',
    '--create-platform-cert',
    '--lock-nvram',
    '--not-overwrite',
  ];
  return {
    sidecars: [{ name: 'swtpm', argv, socket, asUser: true }],
    folders: [state],
    once: [{ argv: setup, unless: `${state}/tpm2-00.permall` }],
  };
}
