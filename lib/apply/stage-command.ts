import { readConfigFile } from '../host/config-file.ts';
import type { Host } from '../host/host.ts';
import { parseProfile } from '../inputs/read-profile.ts';
import { runUserCommand } from '../steps/user-command.ts';
import { profilePlace } from './profile-place.ts';
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
  const { argv, timeoutMs } = command;
  const words = `run the command ${stage} (${argv[0]})`;
  const begun = host.now();
  try {
    await runUserCommand(host, { guest, operation: stage, argv, timeoutMs });
  } catch (error) {
    report.step('failed', words, host.now() - begun);
    throw error;
  }
  report.step('done', words, host.now() - begun);
}
