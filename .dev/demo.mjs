import { runCommand, TYPESCRIPT } from './command.mjs';
import { ensureBuild, ensureLab, ensureModules } from './setup.mjs';
import { formatSeconds, runMain, say } from './step.mjs';

/** `npm run demo`: sets up what is missing, then shows the main job in a lab machine. Exit 0 only if all was given back. */
await runMain(async () => {
  await ensureModules();
  await ensureBuild();
  await ensureLab({ suites: ['bookworm'] });
  say('booting a virtual machine with an IOMMU and PCI devices; about 10 s without KVM …');
  const started = performance.now();
  const colour = process.stdout.isTTY && !process.env.NO_COLOR ? ['--colour'] : [];
  const lab = [process.execPath, ...TYPESCRIPT, 'test/lab/lab.ts', '--quiet'];
  const { status } = await runCommand([...lab, 'test/lab/scenarios/demo.sh', ...colour], { show: true });
  const took = formatSeconds(performance.now() - started);
  say(
    status === 0
      ? `\nThe demo is over (${took}): all that was taken is back`
      : `\nThe demo failed with ${status} (${took})`,
  );
  return status;
});
