import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { formatReport } from '../../launchers/report-page.ts';
import { findChromium, startChromium } from './browser.ts';
import { reportInput } from './report-input.ts';

/** Screenshots are kept where this says, to be looked at. */
const SHOTS = process.env.PASSQEMU_SHOTS;
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const path = findChromium();
const skip = path === null ? 'Chromium is not installed' : false;
const folder = mkdtempSync(join(tmpdir(), 'passqemu-page-'));
const address = pathToFileURL(join(folder, 'report.html')).href;
let browser: Browser;

before(async () => {
  writeFileSync(join(folder, 'report.html'), formatReport(reportInput()));
  if (path !== null) browser = await startChromium(path);
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

/** Opens the page and gives what the console and the network said beside it. */
async function open(options: BrowserContextOptions): Promise<{ page: Page; said: string[] }> {
  // The page's own policy forbids scripts; those of the test get by it
  const context = await browser.newContext({ ...options, bypassCSP: true });
  const page = await context.newPage();
  const said: string[] = [];
  page.on('console', (message) => void said.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => void said.push(error.message));
  page.on(
    'request',
    (request) => void (request.url() === address || request.url() === 'data:,' || said.push(request.url())),
  );
  await page.goto(address);
  return { page, said };
}

async function shoot(page: Page, name: string): Promise<void> {
  if (SHOTS === undefined) return;
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
}

const SCREENS: readonly (readonly [string, BrowserContextOptions])[] = [
  ['light', { viewport: { width: 1280, height: 800 }, colorScheme: 'light' }],
  ['dark', { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' }],
  // 200 % zoom of a window of 1280 pixels is half as many CSS pixels of twice the size
  ['zoomed', { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 }],
  ['narrow', { viewport: { width: 320, height: 640 } }],
  ['narrow and dark', { viewport: { width: 320, height: 640 }, colorScheme: 'dark' }],
];
for (const [name, options] of SCREENS) {
  test(`the report on a ${name} screen: silent, accessible, and never wider than it`, { skip }, async () => {
    const { page, said } = await open(options);
    await page.evaluate(`for (const one of document.querySelectorAll('details')) one.open = true`);
    const widths = await page.evaluate<number[]>(`[document.documentElement.scrollWidth, window.innerWidth]`);
    assert.ok(widths[0]! <= widths[1]!, `${widths[0]} pixels on ${widths[1]}`);
    await page.addScriptTag({ content: AXE });
    const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
      `axe.run()`,
    );
    assert.deepEqual(
      violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`),
      [],
    );
    assert.deepEqual(said, []);
    assert.equal(await page.title(), 'passqemu report');
    await page.evaluate(`for (const one of document.querySelectorAll('details')) one.open = false`);
    await shoot(page, name.replaceAll(' ', '-'));
    await page.context().close();
  });
}

test('the report needs no script and holds no element that could fetch or run anything', {
  skip,
}, async () => {
  const { page, said } = await open({ javaScriptEnabled: true });
  const bad = await page.evaluate<unknown>(`({
    elements: document.querySelectorAll('script,img,iframe,object,embed,form,link:not([rel=icon]),base').length,
    handlers: [...document.querySelectorAll('*')].filter((one) => [...one.attributes].some(({ name }) => name.startsWith('on'))).length,
    headings: [...document.querySelectorAll('h2')].map((one) => one.textContent),
  })`);
  assert.deepEqual(bad, {
    elements: 0,
    handlers: 0,
    headings: ['What to know first', 'Devices by IOMMU group', 'Processors', 'Memory', 'Raw data'],
  });
  assert.deepEqual(said, []);
  await page.context().close();
});

test('the report names its picture and its parts for who cannot see them', { skip }, async () => {
  const { page } = await open({});
  assert.equal(await page.getByRole('img', { name: 'The machine’s CPUs' }).count(), 1);
  assert.equal(await page.getByRole('region', { name: 'What to know first' }).count(), 1);
  assert.equal(await page.getByRole('navigation', { name: 'Parts' }).count(), 1);
  await page.context().close();
});

test('the report prints in black on white, findings first, without the raw data', { skip }, async () => {
  const { page } = await open({ colorScheme: 'dark' });
  await page.emulateMedia({ media: 'print' });
  const style = await page.evaluate<string[]>(`(() => {
    const of = (selector) => getComputedStyle(document.querySelector(selector));
    return [of('body').backgroundColor, of('body').color, of('nav').display, of('.raw').display, of('.ground').fill];
  })()`);
  assert.deepEqual(style, ['rgb(255, 255, 255)', 'rgb(26, 31, 36)', 'none', 'none', 'rgb(255, 255, 255)']);
  if (SHOTS !== undefined) await page.pdf({ path: join(SHOTS, 'print.pdf'), format: 'A4' });
  await shoot(page, 'print');
  await page.context().close();
});
