// Every screen in three themes and two sizes: no accessibility fault, and a picture of each.
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { go, open, type Theme } from './browser.ts';
import { inspect, photograph } from './look.ts';
import { browser, create, page as first, scene, script, world } from './scene.ts';

let id: string;
let stopped: string;

scene({
  before: () => {
    const command = "sed -i 's/sum(/round(sum(/; s/items)$/items), 2)/' price.py && echo '- prices are exact' >> README.md";
    const prompt = script({ text: 'I look at the prices.', tool: 'Bash', input: { command } }, { text: 'Rounding is exact now.' });
    for (const name of ['fix-rounding', 'add-currency', 'tidy-readme']) create(name, prompt);
    create('port-to-postgres', '--agent', 'codex', 'Port it.');
    create('waiting', 'Hello.');
    world.run('stop', 'waiting');
    world.run('archive', 'tidy-readme');
    const listed = JSON.parse(world.run('list', '--json')) as { id: string; name: string }[];
    id = listed.find((one) => one.name === 'fix-rounding')?.id ?? '';
    stopped = listed.find((one) => one.name === 'waiting')?.id ?? '';
  },
});

beforeAll(() => first.locator('[data-session="fix-rounding"]').getByText('Ready').waitFor({ timeout: 60_000 }));

interface Screen {
  name: string;
  hash: () => string;
  show: (page: Page) => Promise<unknown>;
}

const heading = (name: string) => (page: Page) => page.getByRole('heading', { name }).first().waitFor();
const settings = (section: string, label: string, then?: (page: Page) => Promise<unknown>): Screen => ({
  name: `settings-${section}`,
  hash: () => `#/settings/${section}`,
  show: async (page) => {
    await heading(label)(page);
    await then?.(page);
  },
});

const screens: Screen[] = [
  { name: 'sessions', hash: () => '#/', show: (page) => page.locator('[data-session="fix-rounding"]').waitFor() },
  {
    name: 'sessions-selected',
    hash: () => '#/',
    show: async (page) => {
      await page.locator('[data-session="fix-rounding"]').click({ modifiers: ['Control'] });
      await page.locator('[data-session="waiting"]').click({ modifiers: ['Control'] });
      await page.getByRole('toolbar').waitFor();
    },
  },
  {
    name: 'menu',
    hash: () => '#/',
    show: async (page) => {
      await page.keyboard.press('Escape');
      await page.locator('[data-session="fix-rounding"]').click({ button: 'right' });
      await page.getByRole('menu').waitFor();
    },
  },
  { name: 'create', hash: () => '#/', show: async (page) => (await page.keyboard.press('Control+n'), page.getByRole('dialog').getByTestId('reach').waitFor()) },
  {
    name: 'create-more',
    hash: () => '#/',
    show: async (page) => {
      await page.keyboard.press('Control+n');
      await page.getByRole('dialog').getByRole('button', { name: /^More/ }).click();
      await page.getByLabel('Image').scrollIntoViewIfNeeded();
    },
  },
  { name: 'quick-start', hash: () => '#/', show: async (page) => (await page.keyboard.press('Shift+N'), page.getByRole('dialog').waitFor()) },
  { name: 'palette', hash: () => '#/', show: async (page) => (await page.keyboard.press('Control+k'), page.getByRole('option').first().waitFor()) },
  { name: 'shortcut-help', hash: () => '#/', show: async (page) => (await page.keyboard.press('?'), page.getByRole('dialog').waitFor()) },
  {
    name: 'session-chat',
    hash: () => `#/session/${id}/chat`,
    show: async (page) => {
      await page.getByTestId('conversation').getByText('Rounding is exact now.', { exact: true }).waitFor();
      const call = page.getByTestId('conversation').getByRole('button', { name: /^Ran sed/ });
      if ((await call.getAttribute('aria-expanded')) === 'false') await call.click();
    },
  },
  { name: 'session-chat-stopped', hash: () => `#/session/${stopped}/chat`, show: (page) => page.getByText('The session does not run.').waitFor() },
  { name: 'session-terminal', hash: () => `#/session/${id}/terminal`, show: (page) => page.locator('.xterm-rows').getByText('Rounding is exact now.').first().waitFor() },
  { name: 'session-files', hash: () => `#/session/${id}/files`, show: (page) => page.getByRole('tree').getByText(', modified').first().waitFor({ state: 'attached' }) },
  { name: 'session-diff', hash: () => `#/session/${id}/diff`, show: (page) => page.getByRole('article').first().waitFor() },
  { name: 'session-info', hash: () => `#/session/${id}/info`, show: (page) => page.getByRole('heading', { name: 'Sandbox' }).waitFor() },
  { name: 'session-gone', hash: () => '#/session/gone/terminal', show: heading('This session is gone') },
  settings('accounts', 'Accounts', (page) => page.locator('[data-account]').first().waitFor()),
  settings('appearance', 'Appearance'),
  settings('shortcuts', 'Shortcuts'),
  settings('defaults', 'Defaults'),
  settings('notifications', 'Notifications'),
  settings('storage', 'Storage', (page) => page.getByText(/in use/).waitFor()),
  settings('doctor', 'Doctor', (page) => page.locator('[data-check]').first().waitFor({ timeout: 40_000 })),
  settings('about', 'About', (page) => page.getByText('Home', { exact: true }).waitFor()),
  { name: 'setup', hash: () => '#/setup', show: (page) => page.locator('[data-check]').first().waitFor({ timeout: 40_000 }) },
  { name: 'setup-accounts', hash: () => '#/setup', show: async (page) => (await page.getByRole('button', { name: 'Next' }).click(), page.locator('[data-account]').first().waitFor()) },
  { name: 'setup-first', hash: () => '#/setup', show: async (page) => (await page.getByRole('button', { name: 'Next' }).click(), page.getByText('See it at work').waitFor()) },
];

for (const theme of ['dark', 'light', 'contrast'] satisfies Theme[]) {
  for (const [width, height] of [[1280, 800], [900, 600]] as const) {
    test(`axe: nothing is wrong on any screen, ${theme}, ${width} × ${height}`, { timeout: 240_000 }, async () => {
      const { page, faults } = await open(browser, world, { theme, width, height });
      await page.locator('[data-session="fix-rounding"]').waitFor();
      const found: string[] = [];
      for (const screen of screens) {
        await page.keyboard.press('Escape');
        await go(page, screen.hash());
        await screen.show(page);
        found.push(...(await inspect(page, `${screen.name}-${theme}-${width}`)));
      }
      expect(found).toEqual([]);
      expect(faults).toEqual([]);
      await page.context().close();
    });
  }
}

test('zoom: at 200 % nothing is cut off sideways', async () => {
  // A window of 1280 × 800 at 200 % has room for 640 × 400.
  const { page } = await open(browser, world, { width: 640, height: 400 });
  await page.locator('[data-session="fix-rounding"]').waitFor();
  for (const screen of screens.filter((one) => !one.name.startsWith('setup-') && one.name !== 'menu' && one.name !== 'sessions-selected')) {
    await page.keyboard.press('Escape');
    await go(page, screen.hash());
    await screen.show(page);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth || document.body.scrollWidth > innerWidth);
    expect(wide, screen.name).toBe(false);
    // Code that stands one letter a line cannot be read.
    for (const code of await page.locator('[data-scroller]:visible').all()) expect((await code.boundingBox())?.width, screen.name).toBeGreaterThan(300);
    for (const dialog of await page.getByRole('dialog').all()) {
      const box = await dialog.boundingBox();
      expect(box && box.x >= 0 && box.y >= 0 && box.x + box.width <= 640 && box.y + box.height <= 400, screen.name).toBe(true);
    }
    await photograph(page, `${screen.name}-zoom`);
  }
  await page.context().close();
});
