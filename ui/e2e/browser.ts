import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';
import type { World } from './world.ts';

export type Theme = 'light' | 'dark' | 'contrast';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];

export function launch(): Promise<Browser> {
  const executablePath = process.env['CLAUDERON_TEST_CHROMIUM'] ?? PLACES.find(existsSync);
  if (!executablePath) throw new Error('There is no Chromium here; install one, or name it in CLAUDERON_TEST_CHROMIUM.');
  // Without a graphics card's interface the terminal is drawn as elements, whose text a test can read.
  const args = ['--disable-3d-apis', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])];
  return chromium.launch({ executablePath, args });
}

/** A page that is signed in, with what went wrong in it collected in `faults`. */
export async function open(browser: Browser, world: World, options: { theme?: Theme; width?: number; height?: number; scale?: number; reducedMotion?: boolean } = {}): Promise<{ page: Page; faults: string[] }> {
  const { theme = 'dark', width = 1280, height = 800, scale = 1, reducedMotion = true } = options;
  const context = await browser.newContext({
    viewport: { width, height },
    deviceScaleFactor: scale,
    colorScheme: theme === 'light' ? 'light' : 'dark',
    contrast: theme === 'contrast' ? 'more' : 'no-preference',
    reducedMotion: reducedMotion ? 'reduce' : 'no-preference',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && /Content Security Policy|Refused to/.test(message.text())) faults.push(message.text());
  });
  const link = /http:\/\/\S+/.exec(world.run('web'))?.[0];
  if (!link) throw new Error('`clauderon web` printed no link.');
  await page.goto(link);
  return { page, faults };
}

/** Does something that the daemon is to keep for the person, and waits until it has kept these words. */
export async function kept(page: Page, words: string, act: () => Promise<unknown>): Promise<void> {
  const saved = page.waitForResponse((response) => {
    const request = response.request();
    return response.url().endsWith('/api/desk') && request.method() === 'PUT' && (request.postData() ?? '').includes(words);
  });
  await Promise.all([saved, act()]);
}

/** Leaves the first steps. */
export async function skipSetup(page: Page): Promise<void> {
  await kept(page, '"welcomed":true', () => page.getByRole('button', { name: 'Skip all' }).click());
}

export async function go(page: Page, hash: string): Promise<void> {
  await page.evaluate(async (to) => {
    if (location.hash === to || (to === '#/' && location.hash === '')) return;
    const changed = new Promise((done) => addEventListener('hashchange', done, { once: true }));
    location.hash = to;
    await changed;
    // What the address names is drawn with the next frame.
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
  }, hash);
}
