import type { Host } from '../host/host.ts';
import { HostError } from '../words/errors.ts';

const FOLDER = '/etc/systemd/system';
const TIME_LIMIT_MS = 20_000;

/** What the unit of a guest is made from. */
export interface GuestUnit {
  /** The guest's name as it may stand in a unit's name. */
  readonly escaped: string;
  readonly guest: string;
  /** passqemu's own path. */
  readonly program: string;
  /** Options that every call gets. */
  readonly options: readonly string[];
  /** How long the guest and the release of its devices may take in all, in seconds. */
  readonly stopSeconds: number;
}

/** What the guest's unit is called. */
export function unitName({ escaped }: Pick<GuestUnit, 'escaped'>): string {
  return `passqemu-${escaped}.service`;
}

/**
 * A unit that runs the guest (systemd.service(5)). systemctl stop powers it down. ExecStopPost= is carried out however the launcher
 * ended, kill -9 included: the guest, whose QEMU is in a scope of its own, is powered down and what it holds is given back.
 */
export function formatGuestUnit({ guest, program, options, stopSeconds }: GuestUnit): string {
  const words = (...more: readonly string[]) =>
    [program, ...more, ...options, guest].map(quoteWord).join(' ');
  return `[Unit]
Description=Guest ${guest.replaceAll('%', '%%')} with its devices (passqemu)
After=network.target libvirtd.service virtqemud.service

[Service]
Type=simple
ExecStart=${words('run', '--quiet')}
ExecStopPost=-${words('stop', '--quiet', '--if-running')}
ExecStopPost=${words('release', '--quiet')}
KillMode=process
TimeoutStartSec=infinity
TimeoutStopSec=${stopSeconds}

[Install]
WantedBy=multi-user.target
`;
}

/** Writes the unit and has systemd read it; answers its path. It is neither enabled nor started. */
export async function installGuestUnit(host: Host, unit: GuestUnit): Promise<string> {
  const path = `${FOLDER}/${unitName(unit)}`;
  host.replaceFile(path, formatGuestUnit(unit), 0o644);
  await systemctl(host, ['daemon-reload']);
  return path;
}

/** Disables and removes the unit, which must not be running; answers whether it was there. */
export async function removeGuestUnit(host: Host, unit: Pick<GuestUnit, 'escaped'>): Promise<boolean> {
  const path = `${FOLDER}/${unitName(unit)}`;
  if (!host.exists(path)) return false;
  await systemctl(host, ['disable', unitName(unit)]);
  host.remove(path);
  await systemctl(host, ['daemon-reload']);
  return true;
}

async function systemctl(host: Host, words: readonly string[]): Promise<void> {
  const { status, stderr } = await host.run(['systemctl', ...words], { timeoutMs: TIME_LIMIT_MS });
  if (status !== 0) {
    throw new HostError(
      `Cannot do systemctl ${words.join(' ')}: ${stderr.trim().slice(0, 300) || `it answered ${status}`}`,
    );
  }
}

/** One word of a command line in a unit: quotes, escapes, and neither specifiers nor variables (systemd.service(5), "COMMAND LINES"). */
function quoteWord(word: string): string {
  const safe = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  if (/^[\w@%+=:,./$-]+$/.test(safe)) return safe;
  return `"${safe.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
