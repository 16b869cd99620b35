import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Where Debian and Ubuntu put it. */
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'];

/** The installed Chromium, or null. */
export function findChromium(): string | null {
  return CHROMIUM.find((path) => existsSync(path)) ?? null;
}

/** Starts it without a window, and without anything that would call home. */
export function startChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
