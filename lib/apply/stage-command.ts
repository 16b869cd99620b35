import { readConfigFile } from '../host/config-file.ts';
import type { Host } from '../host/host.ts';
import { parseProfile } from '../inputs/read-profile.ts';
import { HostError } from '../words/errors.ts';
import { profilePlace } from './guest.ts';
import type { Report } from './report.ts';

/** Runs the user's command for a stage in the middle of a guest's life. What it answers changes nothing but the log. */
export async function runStageCommand(
  host: Host,
  configDir: string,
  guest: string,
  stage: 'started' | 'stopped',
  report: Report,
): Promise<void> {
  const { path } = profilePlace(configDir, guest);
  const text = readConfigFile(host, path, process.getuid?.() ?? 0);
  const command = text === null ? null : parseProfile(text, { guest, path }).commands[stage];
  if (command === null) return;
  const begun = host.now();
  const env = { PASSQEMU_GUEST: guest, PASSQEMU_OPERATION: stage };
  const { status, stderr, timedOut } = await host.run(command.argv, { timeoutMs: command.timeoutMs, env });
  const words = `run ${stage}: ${command.argv.join(' ')}`;
  report.step(status === 0 ? 'done' : 'failed', words, host.now() - begun);
  if (status === 0) return;
  const why = timedOut ? `it did not end within ${command.timeoutMs / 1000} s` : `it ended with ${status}`;
  throw new HostError(`Cannot ${words}: ${why}: ${stderr.trim().split('\n').at(-1) ?? ''}`);
}
