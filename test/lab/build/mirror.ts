import { findCommand, run } from '../processes.ts';
import { LabError, type Suite } from '../words.ts';

const variable = 'PASSQEMU_LAB_MIRROR';
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * The apt sources of a suite: the Debian mirrors that this machine's own apt uses, with the suite's name exchanged, or
 * the mirror that the variable names.
 */
export async function sources(suite: Suite): Promise<string[]> {
  const source = (mirror: string, name: string): string =>
    `deb [signed-by=${keyring}] ${mirror} ${name} main`;
  const named = process.env[variable];
  if (named) return [source(named, suite)];

  const mirrors = await aptMirrors();
  if (mirrors.archive === null) {
    throw new LabError(
      `apt knows no Debian mirror here (has apt-get update run?): set ${variable} to the address of one`,
    );
  }
  const found = [source(mirrors.archive, suite)];
  if (mirrors.security !== null) found.push(source(mirrors.security, `${suite}-security`));
  return found;
}

async function aptMirrors(): Promise<{ archive: string | null; security: string | null }> {
  if (findCommand('apt-get') === null) return { archive: null, security: null };
  const format = '$(ORIGIN)|$(LABEL)|$(REPO_URI)';
  const listing = await run(['apt-get', 'indextargets', '--format', format, 'Created-By: Packages']);
  const rows = listing.split('\n').map((line) => line.split('|'));
  const address = (label: string): string | null =>
    rows.find(([origin, itsLabel]) => origin === 'Debian' && itsLabel === label)?.[2] ?? null;
  return { archive: address('Debian'), security: address('Debian-Security') };
}
