import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, runCommand, TYPESCRIPT } from './command.mjs';
import { ExpectedError, step } from './step.mjs';

/** What a checkout needs before anything of it runs; each part does nothing where it is done already. */

const NEEDED_NODE = [20, 17];

/** Refuses a node that is too old to run the project. */
export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NEEDED_NODE[0] || (major === NEEDED_NODE[0] && minor >= NEEDED_NODE[1])) return;
  throw new ExpectedError(
    `Cannot go on: this is Node.js ${process.versions.node} (${process.execPath}), ${NEEDED_NODE.join('.')} or later must be installed`,
  );
}

/** Installs the npm modules exactly as package-lock.json lists them, unless they are there. */
export async function ensureModules() {
  checkNode();
  if (modulesAreThere()) return;
  await step('installing the npm modules (npm ci)', 'installed the npm modules', async () => {
    const { status, output } = await runCommand(['npm', 'ci', '--no-audit', '--no-fund']);
    if (status !== 0)
      throw new ExpectedError(`Cannot install the npm modules: npm ci failed with ${status}\n${output}`);
  });
}

/** npm keeps a list of what it has installed beside it; packages for other platforms are not in there. */
function modulesAreThere() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  const have = JSON.parse(readFileSync(installed, 'utf8')).packages;
  const want = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(want).every(([name, { version, integrity, optional }]) => {
    if (name === '') return true;
    if (have[name] === undefined) return optional === true;
    return have[name].version === version && have[name].integrity === integrity;
  });
}

/** Builds the two bundles anew: it takes less than finding out whether it is needed. */
export async function ensureBuild() {
  await step('building', 'built dist/qemu and dist/passqemu', async () => {
    const { status, output } = await runCommand([process.execPath, '.dev/build.mjs']);
    if (status !== 0)
      throw new ExpectedError(`Cannot build: .dev/build.mjs failed with ${status}\n${output}`);
  });
}

/**
 * Sees to it that lab machines of these suites can be started: QEMU and the tools, and an image of each suite. Where they
 * cannot be installed from here, the error names the packages.
 */
export async function ensureLab({ suites }) {
  await step(
    `looking after the lab (${suites.join(' and ')}; the first time it downloads and builds for a minute or two each)`,
    'the lab is ready',
    async () => {
      const { status } = await runCommand(
        [process.execPath, ...TYPESCRIPT, '.dev/lab-images.ts', ...suites],
        { show: true },
      );
      if (status !== 0) throw new ExpectedError('Cannot start the lab: see above');
    },
  );
}

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'];

/** Sees to it that pages can be looked at: Debian's Chromium, installed where we may. False where it is not to be had. */
export async function ensureChromium() {
  if (CHROMIUM.some((path) => existsSync(path))) return true;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return false;
  const install = [
    'apt-get',
    '--quiet',
    '--quiet',
    '--option',
    'DPkg::Lock::Timeout=300',
    'install',
    '--yes',
    '--no-install-recommends',
  ];
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  return await step('installing Chromium, to look at the report with', 'installed Chromium', async () => {
    let { status, output } = await runCommand([...install, 'chromium'], { env });
    if (status !== 0) {
      // What apt knows may be older than what the mirror has
      await runCommand(['apt-get', '--quiet', '--quiet', 'update'], { env });
      ({ status, output } = await runCommand([...install, 'chromium'], { env }));
    }
    if (status !== 0)
      throw new ExpectedError(`Cannot install Chromium: apt-get failed with ${status}\n${output}`);
    return true;
  });
}
