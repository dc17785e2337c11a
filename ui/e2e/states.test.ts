// What a person sees when something around the sessions goes wrong.
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { go, launch, open, skipSetup } from './browser.ts';
import { Keyring } from './keyring.ts';
import { inspect, photograph } from './look.ts';
import { makeWorld, type World } from './world.ts';

let root: string;
let small: boolean;
let keyring: Keyring;
let world: World;
let browser: Browser;
let page: Page;
let faults: string[];

const filling = () => join(world.home, 'filling');

/** A small disk in the place of the home, which a test can fill; where this caller may not make one, there is none. */
function disk(folder: string): boolean {
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=96m,mode=0755', 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function fill(): void {
  for (const size of [1 << 20, 4096]) {
    try {
      for (;;) appendFileSync(filling(), Buffer.alloc(size));
    } catch {
      // It is full.
    }
  }
}

beforeAll(async () => {
  root = mkdtempSync('/tmp/cl-ui-');
  small = disk(join(root, 'home'));
  keyring = await Keyring.start(join(root, 'keyring'));
  world = await makeWorld({ at: root, env: { DBUS_SESSION_BUS_ADDRESS: keyring.address } });
  world.run('create', '--detach', '--backend', 'bubblewrap', '--name', 'first', 'Hello.');
  browser = await launch();
  ({ page, faults } = await open(browser, world));
  await skipSetup(page);
  await page.locator('[data-session="first"]').waitFor();
});

afterAll(async () => {
  await browser?.close();
  await world?.close();
  keyring?.stop();
  if (small) execFileSync('umount', ['--lazy', join(root, 'home')]);
  rmSync(root, { recursive: true, force: true });
});

afterEach(() => expect(faults.splice(0)).toEqual([]));

test('disk-full: it is said on every screen, what was typed is kept, and it goes by itself', async ({ skip }) => {
  if (!small) skip('a disk of its own takes root');
  fill();
  const line = page.getByText('The disk is full.');
  await line.first().waitFor();
  // The audit log gives its reserve away with the next record that finds no room; here it has done so already.
  rmSync(join(world.home, 'audit.reserve'), { force: true });
  fill();
  await page.locator('[data-session="first"]').click();
  await page.getByRole('button', { name: /More for this session/ }).click();
  await page.getByRole('menuitem', { name: 'Rename' }).click();
  await page.getByLabel('Title').fill('A better title');
  await page.getByRole('button', { name: 'Rename', exact: true }).click();
  await page.getByText(/the disk is full: could not write/i).waitFor();
  expect(await page.getByLabel('Title').inputValue()).toBe('A better title');
  rmSync(filling());
  await line.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Rename', exact: true }).click();
  await page.getByRole('heading', { name: 'A better title' }).waitFor();
});

test('repository-gone: Diff and Info say what to do, and go on when it is back', async () => {
  const away = join(root, 'away');
  renameSync(world.repository, away);
  const [session] = readdirSync(join(world.home, 'sessions'));
  await go(page, `#/session/${session}/diff`);
  await page.getByText(/is gone, and session first cannot do without it/).waitFor();
  await page.getByText(/put it back in the same place/i).waitFor();
  await go(page, `#/session/${session}/info`);
  await page.getByText(/is not there any more/).waitFor();
  renameSync(away, world.repository);
  await go(page, `#/session/${session}/diff`);
  await page.getByText(/is gone, and session first cannot do without it/).waitFor({ state: 'detached' });
});

test('keychain-locked: it is said, what was typed is kept, and it goes on once the keychain is open', async () => {
  const github = page.locator('[data-account="github_token"]');
  const dialog = page.getByRole('dialog', { name: 'GitHub token' });
  await go(page, '#/settings/accounts');
  await github.getByRole('button', { name: 'Paste' }).click();
  await dialog.getByLabel('Value').fill('ghp_firstfirstfirstfirst');
  await dialog.getByRole('button', { name: 'Keep and test' }).click();
  await github.getByText('From keychain.').waitFor();

  keyring.lock();
  await github.getByRole('button', { name: /More for/ }).click();
  await page.getByRole('menuitem', { name: 'Replace…' }).click();
  await dialog.getByLabel('Value').fill('ghp_secondsecondsecond');
  await dialog.getByRole('button', { name: 'Keep and test' }).click();
  await dialog.getByText('The keychain is locked, so nothing was kept.').waitFor();
  expect(await dialog.getByLabel('Value').inputValue()).toBe('ghp_secondsecondsecond');
  await photograph(page, 'keychain-locked-dialog');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await page.getByText('The keychain is locked.', { exact: true }).waitFor();
  await github.getByText('The keychain is locked or gone; the value that was read before is still used.').waitFor();
  expect(await inspect(page, 'keychain-locked')).toEqual([]);

  await keyring.unlock();
  // A person comes back to the window.
  await page.evaluate(() => window.dispatchEvent(new Event('focus')));
  await page.getByText('The keychain is locked.', { exact: true }).waitFor({ state: 'detached' });
  await github.getByText(/still used/).waitFor({ state: 'detached' });
});
