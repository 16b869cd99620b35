import { mkdir, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../processes.ts';
import { LabError, type Say, type Suite } from '../words.ts';
import { sources } from './mirror.ts';
import { performanceStates } from './p-states.ts';
import { bootModules, nestedModules, packagesOf, rootModules } from './packages.ts';
import { extractVmlinux } from './vmlinux.ts';

const here = import.meta.dirname;
const shell = (name: string): string => path.join(here, name);

/** Makes the files of a suite's image in `folder`: vmlinux, initrd, root.ext4, p-states.aml. */
export async function buildImage(suite: Suite, folder: string, say: Say): Promise<void> {
  if (process.getuid?.() !== 0) throw new LabError('the image of the lab can only be built by root');
  const root = path.join(folder, 'root');
  const file = (name: string): string => path.join(folder, name);
  const step = async (what: string, work: () => Promise<void>): Promise<void> => {
    const begin = performance.now();
    await work();
    say(`${suite}: ${what} ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  };

  await step('packages', () => bootstrap(suite, root));
  await step('kernel, initramfs, nested guest', async () => {
    const kernel = await kernelImage(root);
    await writeFile(file('vmlinux'), await extractVmlinux(kernel));
    await run([shell('initrd.sh'), root, shell('initramfs-init'), file('initrd'), ...bootModules]);
    const nested = path.join(root, 'usr/local/lib/lab');
    await mkdir(nested, { recursive: true });
    await run(['cp', kernel, path.join(nested, 'vmlinuz')]);
    await run(['cp', file('vmlinux'), path.join(nested, 'vmlinux')]);
    await run([
      shell('initrd.sh'),
      root,
      shell('nested-init'),
      path.join(nested, 'initrd'),
      ...nestedModules,
    ]);
    await writeFile(file('p-states.asl'), performanceStates());
    await run(['iasl', '-p', file('p-states'), file('p-states.asl')]);
  });
  await step('root disk', async () => {
    await pruneModules(root);
    await run([shell('root.sh'), root, process.execPath]);
    await makeDisk(root, file('root.ext4'));
    await rm(root, { recursive: true });
  });
}

async function bootstrap(suite: Suite, root: string): Promise<void> {
  const excluded = ['doc', 'man', 'locale', 'info', 'lintian', 'bug'];
  await run([
    ...['mmdebstrap', '--quiet', '--mode=root', '--format=directory', '--variant=minbase'],
    `--include=${packagesOf(suite).join(',')}`,
    '--aptopt=Apt::Install-Recommends "false"',
    '--aptopt=Acquire::Languages "none"',
    '--dpkgopt=force-unsafe-io',
    ...excluded.map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
    `--customize-hook=${shell('kernel.sh')}`,
    ...[suite, root, ...(await sources(suite))],
  ]);
}

async function kernelImage(root: string): Promise<string> {
  const boot = path.join(root, 'boot');
  const name = (await readdir(boot)).find((entry) => entry.startsWith('vmlinuz-'));
  if (name === undefined) throw new Error(`${boot} holds no kernel`);
  return path.join(boot, name);
}

async function pruneModules(root: string): Promise<void> {
  const kept = `${root}-modules`;
  await run([shell('modules.sh'), root, kept, ...rootModules]);
  await rm(path.join(root, 'usr/lib/modules'), { recursive: true });
  await run(['cp', '-a', path.join(kept, 'lib/modules'), path.join(root, 'usr/lib/modules')]);
  await rm(kept, { recursive: true });
  await rm(path.join(root, 'boot'), { recursive: true });
}

/** No journal and no checksums: the disk is thrown away with every run. */
async function makeDisk(root: string, file: string): Promise<void> {
  await writeFile(file, '');
  await truncate(file, 2 * 1024 ** 3);
  const features = '^has_journal,^metadata_csum,^resize_inode';
  await run([
    'mkfs.ext4',
    '-q',
    '-O',
    features,
    '-E',
    'lazy_itable_init=1,nodiscard',
    '-m',
    '0',
    '-d',
    root,
    file,
  ]);
}
