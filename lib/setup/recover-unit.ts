import type { Host } from '../host/host.ts';

export const RECOVER_UNIT = '/etc/systemd/system/passqemu-recover.service';
const NAME = 'passqemu-recover.service';
const TIME_LIMIT_MS = 20_000;
/** Every step of a hand-over has its limit; so long they take together where each takes its longest. */
const LONGEST_PREPARE = '20m';

/**
 * The unit that gives back what guests left behind: at boot after the libvirt daemon has looked at its guests, and at shutdown
 * before it is gone (systemd stops in the reverse order), but after libvirt-guests has shut its guests down. It is restarted with the daemon, also with one that
 * was killed: that one forgets the guests that it was just starting. A hand-over that still goes on is waited for. See systemd.unit(5), systemd.service(5).
 */
export function formatRecoverUnit(program: string): string {
  return `[Unit]
Description=Give back what guests that no longer run still hold of this host
After=libvirtd.service virtqemud.service
Before=libvirt-guests.service
PartOf=libvirtd.service virtqemud.service
ConditionPathExists=${program}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${program} recover --quiet --wait ${LONGEST_PREPARE}
ExecStop=${program} recover --quiet

[Install]
WantedBy=multi-user.target libvirtd.service virtqemud.service
`;
}

/** Installs and enables the unit where systemd runs; answers whether anything was written. Names that a unit file would read otherwise are left alone. */
export async function installRecoverUnit(host: Host, program: string): Promise<boolean> {
  if (!host.exists('/run/systemd/system') || !/^\/[\w./+-]+$/.test(program)) return false;
  const text = formatRecoverUnit(program);
  if (host.readOptional(RECOVER_UNIT) === text.trimEnd()) return false;
  host.replaceFile(RECOVER_UNIT, text, 0o644);
  await host.run(['systemctl', 'daemon-reload'], { timeoutMs: TIME_LIMIT_MS });
  await host.run(['systemctl', 'enable', '--now', NAME], { timeoutMs: TIME_LIMIT_MS });
  return true;
}

/** Disables and removes the unit; answers whether it was there. */
export async function uninstallRecoverUnit(host: Host): Promise<boolean> {
  if (!host.exists(RECOVER_UNIT)) return false;
  await host.run(['systemctl', 'disable', '--now', NAME], { timeoutMs: TIME_LIMIT_MS });
  host.remove(RECOVER_UNIT);
  await host.run(['systemctl', 'daemon-reload'], { timeoutMs: TIME_LIMIT_MS });
  return true;
}
