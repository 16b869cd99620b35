import type { PciAddress } from '../words/pci-address.ts';
import type { FirmwareFrameBuffer, FrameBuffer } from './frame-buffers.ts';
import type { LoginSession } from './login-sessions.ts';
import type { ModuleFacts } from './module-facts.ts';
import type { VtConsole } from './vt-consoles.ts';

/** A graphics card of the machine. */
export interface DisplayCard {
  readonly address: PciAddress;
  readonly driver: string | null;
  /** Six hex digits. */
  readonly classCode: string;
  readonly bootVga: boolean;
  /** DRM connectors: "HDMI-A-1" and whether a screen is on it. */
  readonly connectors: readonly { readonly name: string; readonly connected: boolean }[];
}

/** A process that has a node of a taken function open, down to the unit and the session it belongs to. */
export interface DisplayHolder {
  readonly pid: number;
  readonly startTicks: number;
  readonly comm: string;
  readonly user: string;
  readonly cgroup: string;
  /** The system's unit: "gdm.service". Null where it is a session's or a user's own. */
  readonly unit: string | null;
  /** The login session. */
  readonly session: string | null;
  /** The unit of a user's own manager, and whose. */
  readonly userUnit: { readonly unit: string; readonly uid: number; readonly user: string } | null;
  /** That manager stays without any session of its user (loginctl enable-linger). */
  readonly lingers?: true;
  /** Socket units of that manager which would start an audio server again. */
  readonly sockets?: readonly string[];
}

/** A unit that shows the log-in screen. */
export interface DisplayManager {
  readonly unit: string;
  readonly cgroup: string;
  readonly isRunning: boolean;
}

/** What there is to know about the host's displays before one goes. */
export interface DisplayPicture {
  readonly cards: readonly DisplayCard[];
  readonly consoles: readonly VtConsole[];
  readonly frameBuffers: readonly FrameBuffer[];
  readonly firmware: readonly FirmwareFrameBuffer[];
  readonly holders: readonly DisplayHolder[];
  readonly sessions: readonly LoginSession[];
  readonly manager: DisplayManager | null;
  /** For each taken function's driver: its module and those on top of it, in the order of unloading. */
  readonly modules: ReadonlyMap<string, readonly ModuleFacts[]>;
  /** For each such driver: every function it has. */
  readonly driverFunctions: ReadonlyMap<string, readonly PciAddress[]>;
  /** Whether systemd runs this machine: without it nothing can be stopped by unit. */
  readonly hasSystemd: boolean;
  /** Whether the unit is installed that gives back what the dead hold (`passqemu hooks install`). */
  readonly canRecover: boolean;
  /** The cgroup of this very process. */
  readonly ownCgroup: string;
}
