/** How long an operation waits for another guest's. */
export const LOCK_WAIT_MS = 120_000;

/** Where the hook finds and leaves things. */
export interface HookFolders {
  readonly configDir: string;
  readonly stateDir: string;
}
