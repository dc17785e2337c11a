// How the page looks: in a theme, in a picture, and to those who do not see it.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { Theme } from './browser.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Where pictures go, where they are wanted. */
const PICTURES = process.env['CLAUDERON_PICTURES'];
const BOTH = ['light', 'dark'] satisfies Theme[];

/** Waits until nothing fades any more. */
async function rest(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await new Promise(requestAnimationFrame);
    const ends = document.getAnimations().filter((one) => one.effect?.getComputedTiming().endTime !== Infinity);
    await Promise.all(ends.map((one) => one.finished.catch(() => undefined)));
  });
}

/** Shows the page in a theme. */
async function show(page: Page, theme: Theme): Promise<void> {
  await page.emulateMedia({ colorScheme: theme === 'light' ? 'light' : 'dark', contrast: theme === 'contrast' ? 'more' : 'no-preference' });
  await rest(page);
}

/** Keeps a picture of the page as it is. */
export async function photograph(page: Page, name: string): Promise<void> {
  if (!PICTURES) return;
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`) });
}

/** Keeps a picture of the page in each theme. */
export async function picture(page: Page, name: string, themes: Theme[] = BOTH): Promise<void> {
  if (!PICTURES) return;
  for (const theme of themes) {
    await show(page, theme);
    await photograph(page, `${name}-${theme}`);
  }
}

/** Looks at the page as it is, with a picture: what someone could not read or reach there. */
export async function inspect(page: Page, name: string): Promise<string[]> {
  await rest(page);
  await photograph(page, name);
  return (await axe(page)).map((fault) => `${name}: ${fault}`);
}

/** Looks at the page in each theme. */
export async function look(page: Page, name: string, themes: Theme[] = BOTH): Promise<string[]> {
  const found: string[] = [];
  for (const theme of themes) {
    await show(page, theme);
    found.push(...(await inspect(page, `${name}-${theme}`)));
  }
  return found;
}

async function axe(page: Page): Promise<string[]> {
  // The page's policy forbids inline scripts; the debugger's own evaluation is no script of the page.
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    interface Axe {
      run(context: unknown, options: unknown): Promise<{ violations: { id: string; impact: string | null; nodes: { html: string; failureSummary?: string }[] }[] }>;
    }
    const { violations } = await (globalThis as unknown as { axe: Axe }).axe.run({ exclude: [['.xterm']] }, { resultTypes: ['violations'] });
    return violations.flatMap(({ id, impact, nodes }) => nodes.slice(0, 3).map((node) => `${impact} ${id}: ${node.html.slice(0, 160)} ${node.failureSummary?.split('\n')[1]?.trim().slice(0, 160) ?? ''}`));
  });
}
