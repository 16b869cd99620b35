// Builds dist/qemu and dist/passqemu: one file each, a few lines of sh in front, CommonJS behind, nothing needed outside.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { bundleParts } from './parts.mjs';

/** Runs before anything that an old node could not read: everything else is behind it. */
const GUARD = `if (+process.versions.node.split('.')[0] < 20) {
  process.stderr.write('passqemu: Cannot run: this is Node.js ' + process.versions.node + ' (' + process.execPath + '), 20 or later must be installed\\n');
  process.exit(1);
}`;

mkdirSync('dist', { recursive: true });
write('qemu', 'hooks/head.sh', await bundleParts('qemu', 'hooks/qemu.ts', ['prepare', 'release']));
write(
  'passqemu',
  'launchers/head.sh',
  await bundleParts('passqemu', 'launchers/passqemu.ts', ['run', 'prepare', 'release']),
);

function write(name, head, code) {
  // "*/" ends sh's part; a later one inside the head would end it too early
  const sh = readFileSync(head, 'utf8').replaceAll('@NODE@', '/usr/bin/node');
  // Two builds at once must not take each other's file
  const fresh = `dist/${name}.${process.pid}.new`;
  writeFileSync(fresh, `${sh};${GUARD}\n${code}`);
  chmodSync(fresh, 0o755);
  renameSync(fresh, `dist/${name}`);
}

// The manual pages, from the same tables as --help
const pages = JSON.parse(
  execFileSync(process.execPath, ['dist/passqemu', 'man', '--json'], { encoding: 'utf8' }),
);
for (const { file, text } of pages) {
  const folder = `dist/man/man${file.at(-1)}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/${file}`, text);
}
