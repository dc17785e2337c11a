// What a person does, in a real browser, with the real daemon and real agents behind a scripted model.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { go, kept } from './browser.ts';
import { create, page, reopen, scene, script, world } from './scene.ts';


const row = (name: string) => page.locator(`[data-session="${name}"]`);
const list = () => page.getByTestId('session-list');
/** Goes down to the next session; a heading may stand between. */
const downToSession = async () => {
  do await page.keyboard.press('ArrowDown');
  while ((await list().locator('.active').getAttribute('data-session')) === null);
};
const group = (label: string) => list().getByRole('treeitem', { name: new RegExp(`^${label}`) });

scene({ set: false });

test('first-run: three steps, each skippable, and not shown again', async () => {
  await page.getByRole('heading', { name: 'Engine and agents' }).waitFor();
  await page.locator('[data-check]').first().waitFor({ timeout: 40_000 });
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('heading', { name: 'Accounts', exact: true }).waitFor();
  await page.locator('[data-account="anthropic_oauth_token"]').waitFor();
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('radio', { name: /Balanced/ }).waitFor();
  await kept(page, '"welcomed":true', () => page.getByRole('button', { name: 'Finish' }).click());
  await page.getByRole('heading', { name: 'No sessions yet' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'No sessions yet' }).waitFor();
});

test('first-run-demo: it ends in a session that needs no account', async () => {
  await go(page, '#/setup');
  await page.getByRole('button', { name: 'Network and first session' }).click();
  await page.getByRole('button', { name: 'Start the demo session' }).click();
  await page.getByRole('tab', { name: 'Terminal', selected: true }).waitFor({ timeout: 60_000 });
  await page.locator('.xterm').first().waitFor();
  await page.getByRole('button', { name: /More for this session/ }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await page.getByText(/^Deleted/).waitFor();
});

test('doctor: the checks of this machine, from Settings', async () => {
  await go(page, '#/settings/doctor');
  await page.locator('[data-check]').first().waitFor({ timeout: 40_000 });
  expect(await page.locator('[data-check]').count()).toBeGreaterThan(3);
});

test('account-paste: kept where the person chose, found after a restart, never shown', async () => {
  await go(page, '#/settings/accounts');
  const github = page.locator('[data-account="github_token"]');
  await github.getByRole('button', { name: 'Paste' }).click();
  await page.getByLabel('Value').fill('ghp_scriptedscriptedscripted');
  // This machine may have no keychain; then the file is the person's own choice.
  await page.getByRole('radio', { name: 'A file' }).check();
  await page.getByRole('button', { name: 'Keep and test' }).click();
  await github.getByText(/From file/).waitFor();
  await world.restart();
  await page.getByText('Connected', { exact: true }).waitFor({ state: 'detached' }).catch(() => undefined);
  await reopen();
  await go(page, '#/settings/accounts');
  await page.locator('[data-account="github_token"]').getByText(/From file/).waitFor();
  expect(await page.content()).not.toContain('ghp_scripted');
});

test('create: from the dialog, step by step, to the agent at work', async () => {
  await go(page, '#/');
  await page.getByRole('heading', { name: 'No sessions yet' }).waitFor();
  await page.keyboard.press('Control+n');
  const dialog = page.getByRole('dialog', { name: 'New session' });
  await dialog.getByLabel('Repository').fill(world.repository);
  await dialog.getByLabel('Prompt').fill(script({ text: 'I look at the prices.', tool: 'Bash', input: { command: 'echo rounded > rounding.txt' } }, { text: 'Rounding is exact now.' }));
  await dialog.getByRole('radio', { name: 'Bubblewrap' }).check();
  await dialog.getByTestId('reach').getByText(/private clone of storefront/).waitFor();
  await dialog.getByRole('button', { name: /^More/ }).click();
  await dialog.getByLabel('Name').fill('fix-rounding');
  await page.keyboard.press('Control+Enter');
  await dialog.getByRole('list', { name: 'Progress' }).waitFor();
  await page.getByRole('heading', { name: 'fix-rounding', level: 1 }).waitFor({ timeout: 30_000 });
  await page.getByRole('tab', { name: 'Chat', selected: true }).waitFor();
  await page.getByTestId('conversation').getByText('Rounding is exact now.', { exact: true }).waitFor({ timeout: 40_000 });
  await page.getByRole('tab', { name: 'Terminal' }).click();
  await page.locator('.xterm-rows').getByText(/● Rounding is exact now/).first().waitFor({ timeout: 40_000 });
});

test('session-work: type into the terminal, see the file in Files and in Diff', async () => {
  await page.locator('.xterm-helper-textarea').first().focus();
  await page.keyboard.type(script({ tool: 'Bash', input: { command: 'echo typed > typed.txt' } }, { text: 'Typed it.' }));
  // An Enter in the same breath would be a part of what looks like a paste.
  await page.locator('.xterm-rows').getByText(/Typed it\."\}\]/).last().waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.xterm-rows').getByText(/● Typed it\./).last().waitFor({ timeout: 40_000 });
  await page.getByRole('tab', { name: 'Files' }).click();
  await page.getByText('typed.txt').first().waitFor();
  await page.getByRole('tab', { name: 'Diff' }).click();
  await page.getByRole('article', { name: 'typed.txt' }).waitFor();
});

/** Drags these from another program onto the middle of the page, and lets go. */
async function drop(...files: string[]): Promise<void> {
  const hand = await page.context().newCDPSession(page);
  const drag = { x: 640, y: 400, data: { items: [], files, dragOperationsMask: 1 } };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) await hand.send('Input.dispatchDragEvent', { type, ...drag });
  await hand.detach();
}

function things(): { folder: string; notes: string; picture: string } {
  const [folder, notes, picture] = ['drawings', 'notes.txt', 'shot.png'].map((name) => join(world.root, name)) as [string, string, string];
  mkdirSync(folder, { recursive: true });
  writeFileSync(notes, 'To do.');
  writeFileSync(picture, Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64'));
  return { folder, notes, picture };
}

test('upload-drop: a file goes into the session, and a folder is refused in a sentence', async () => {
  const { folder, notes } = things();
  await page.getByRole('tab', { name: 'Chat' }).click();
  const composer = page.getByPlaceholder('Message the agent');
  await composer.waitFor();
  await drop(folder, notes);
  const shelf = page.getByRole('complementary', { name: 'Uploads' });
  await shelf.getByText('Folders are not copied. Drop its files, or a zip of it.').waitFor();
  await expect.poll(() => composer.inputValue()).toBe('/clauderon/uploads/notes.txt ');
  await shelf.getByRole('button', { name: 'Close' }).click();
  await composer.fill('');
});

test('create-drop: a picture goes along with the prompt; what does not is said, and nothing that was typed is lost', async () => {
  const { folder, notes, picture } = things();
  // On a session's page: nothing goes to the session behind the form.
  await page.keyboard.press('Control+n');
  const dialog = page.getByRole('dialog', { name: 'New session' });
  await dialog.getByLabel('Prompt').fill('Draw it like this.');
  await drop(picture, notes);
  await dialog.getByText('shot.png').waitFor();
  await dialog.getByText(/^Only pictures go along with a prompt/).waitFor();
  await drop(folder);
  await dialog.getByText(/^A browser does not say where a folder is/).waitFor();
  expect(await dialog.getByLabel('Prompt').inputValue()).toBe('Draw it like this.');
  expect(await page.getByRole('complementary', { name: 'Uploads' }).count()).toBe(0);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
});

test('create-failure: what to do is said, and what was typed is kept', async () => {
  await go(page, '#/');
  await list().focus();
  await page.keyboard.press('n');
  const dialog = page.getByRole('dialog', { name: 'New session' });
  await dialog.getByLabel('Repository').fill('/nowhere/at/all');
  await dialog.getByLabel('Prompt').fill('Something long that took a while to write.');
  await dialog.getByRole('button', { name: /Create session/ }).click();
  await dialog.getByRole('alert').waitFor();
  expect(await dialog.getByLabel('Prompt').inputValue()).toBe('Something long that took a while to write.');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
});

test('quick-start: a prompt box with the caret in it', async () => {
  await page.keyboard.press('Shift+N');
  const dialog = page.getByRole('dialog', { name: 'Quick start' });
  await dialog.waitFor();
  // The last repository was wrong; the person sets it right and the caret is where it belongs.
  expect(await dialog.getByLabel('Prompt').evaluate((area) => area === document.activeElement)).toBe(true);
  await page.keyboard.type(script({ text: 'Quick.' }));
  await dialog.getByLabel('Repository').fill(world.repository);
  await dialog.getByRole('button', { name: /Create session/ }).click();
  await page.getByTestId('conversation').getByText('Quick.', { exact: true }).waitFor({ timeout: 40_000 });
  // Looked at until it is done, it stands with the idle ones and not with those to be reviewed.
  await page.locator('header').getByText('Idle').first().waitFor({ timeout: 40_000 });
});

test('create-image: the agent gets the image with the prompt', async () => {
  await go(page, '#/');
  await list().focus();
  await page.keyboard.press('n');
  const dialog = page.getByRole('dialog', { name: 'New session' });
  await dialog.getByRole('button', { name: /^More/ }).click();
  await dialog.getByLabel('Name').fill('with-image');
  await dialog.getByLabel('Prompt').fill(script({ text: 'I saw the picture.' }));
  await dialog.getByLabel('Prompt').evaluate(async (area) => {
    const canvas = new OffscreenCanvas(24, 24);
    canvas.getContext('2d')?.fillRect(0, 0, 24, 24);
    const data = new DataTransfer();
    data.items.add(new File([await canvas.convertToBlob({ type: 'image/png' })], 'image.png', { type: 'image/png' }));
    area.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  });
  await dialog.getByText('pasted-1.png').waitFor();
  await dialog.getByRole('button', { name: /Create session/ }).click();
  await page.getByRole('heading', { name: 'with-image', level: 1 }).waitFor({ timeout: 60_000 });
  await page.getByTestId('conversation').getByText('I saw the picture.', { exact: true }).waitFor({ timeout: 40_000 });
  await page.getByRole('tab', { name: 'Terminal' }).click();
  await page.locator('.xterm-rows').getByText(/● I saw the picture\./).first().waitFor({ timeout: 40_000 });
  await page.locator('.xterm-rows').getByText(/Image #1/).first().waitFor();
});

test('list-groups: under their headings, with all that is known', async () => {
  create('second', script({ text: 'Second.' }));
  create('third', '--agent', 'codex', script({ text: 'Third.' }));
  world.run('stop', 'third');
  await go(page, '#/');
  await row('second').waitFor();
  // A turn of no length may pass unseen; then it is idle.
  await row('second').getByText(/Ready|Idle/).waitFor({ timeout: 40_000 });
  await row('third').getByText('Stopped').first().waitFor();
  const text = await row('third').innerText();
  for (const words of ['third', 'Stopped', 'Codex', 'Bubblewrap', 'clauderon/third', 'storefront']) expect(text).toContain(words);
});

test('list-filter: by words, and an empty result says so', async () => {
  await page.keyboard.press('/');
  await page.keyboard.type('codex stopped');
  await row('second').waitFor({ state: 'detached' });
  await row('third').waitFor();
  await page.keyboard.type(' xyzzy');
  await page.getByRole('heading', { name: 'No session matches' }).waitFor();
  await page.getByRole('button', { name: 'Clear the filter' }).last().click();
  await row('second').waitFor();
});

test('list-keyboard: reach, select and open with the keys alone', async () => {
  // Once it was looked at, it stands with the others.
  await row('second').click();
  await page.getByRole('tablist').waitFor();
  await go(page, '#/');
  await row('second').getByText('Idle').waitFor();
  await list().focus();
  await page.keyboard.press('Home');
  await downToSession();
  await page.keyboard.press('Space');
  await downToSession();
  await page.keyboard.press('Space');
  await page.getByRole('toolbar', { name: 'For the selected sessions' }).getByText('2 selected').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('toolbar').waitFor({ state: 'detached' });
  await page.keyboard.press('Enter');
  await page.getByRole('tablist').waitFor();
  await go(page, '#/');
  await list().waitFor();
  await page.keyboard.press('1');
  await page.getByRole('tablist').waitFor();
  await page.getByRole('tab', { name: 'Terminal' }).click();
  // The terminal has the focus and keeps its keys, until it is left.
  await page.locator('.xterm-helper-textarea').first().waitFor({ state: 'attached' });
  await page.keyboard.press('Control+Shift+Escape');
  await page.keyboard.press('Shift+I');
  await page.getByRole('tab', { name: 'Info', selected: true }).waitFor();
  await page.keyboard.press('g');
  await list().waitFor();
});

test('list-bulk: several archived in one go, and taken back', async () => {
  await row('second').click({ modifiers: ['Control'] });
  await row('third').click({ modifiers: ['Control'] });
  await page.getByRole('toolbar').getByRole('button', { name: 'Archive' }).click();
  await page.getByText('Archived 2 sessions.').waitFor();
  await group('Archived').waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await group('Archived').waitFor({ state: 'detached' });
});

test('list-pin-rename: first in its group, under its title', async () => {
  await row('third').click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Rename…' }).click();
  await page.getByLabel('Title').fill('The third one');
  await page.getByRole('button', { name: 'Rename' }).click();
  await row('third').getByText('The third one').waitFor();
  await row('third').click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Pin' }).click();
  await row('third').getByTitle('Pinned').waitFor();
});

test('list-delete-undo: with Del, and back from the message', async () => {
  await row('third').click({ modifiers: ['Control'] });
  await page.keyboard.press('Delete');
  await row('third').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Undo' }).click();
  await row('third').waitFor();
});

test('palette: reach a session and a setting', async () => {
  await page.keyboard.press('Control+k');
  await page.keyboard.type('the third');
  await page.getByRole('option', { name: /The third one/ }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'The third one', level: 1 }).waitFor();
  await page.getByRole('tab', { name: 'Info' }).click();
  await page.keyboard.press('Control+k');
  await page.keyboard.type('trash');
  await page.getByRole('option', { name: /Storage/, selected: true }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Storage', level: 2 }).waitFor();
});

test('shortcuts: changed, with the conflict shown, used, and back', async () => {
  await go(page, '#/settings/shortcuts');
  await page.getByRole('button', { name: /Keys of “All sessions”/ }).click();
  await page.keyboard.press('P');
  await page.getByText('Also: Pin or unpin session').waitFor();
  await page.getByRole('button', { name: /Keys of “All sessions”/ }).click();
  await page.keyboard.press('Control+y');
  await page.getByText('Also: Pin or unpin session').waitFor({ state: 'detached' });
  await page.keyboard.press('Control+y');
  await list().waitFor();
  await go(page, '#/settings/shortcuts');
  await page.getByRole('button', { name: 'Restore all defaults' }).click();
  await page.getByRole('button', { name: 'Keys of “All sessions”: G' }).waitFor();
});

test('appearance: the theme changes and is remembered', async () => {
  await go(page, '#/settings/appearance');
  await kept(page, '"appearance":"light"', () => page.getByRole('radio', { name: 'Light' }).check());
  expect(await page.evaluate(() => document.documentElement.dataset['theme'])).toBe('light');
  await page.reload();
  await page.waitForFunction(() => document.documentElement.dataset['theme'] === 'light');
  await kept(page, '"appearance":"system"', () => page.getByRole('radio', { name: 'System' }).check());
});

test('trash: restore from Settings, then empty it', async () => {
  create('thrown', script({ text: 'Thrown.' }));
  world.run('delete', '--yes', 'thrown');
  await go(page, '#/settings/storage');
  const trashed = page.locator('.row', { hasText: 'thrown' }).filter({ hasText: 'Deleted' });
  await trashed.getByRole('button', { name: 'Restore' }).click();
  await page.getByText('“thrown” is back.').waitFor();
  world.run('delete', '--yes', 'thrown');
  await trashed.waitFor();
  await page.getByRole('button', { name: 'Empty the trash…' }).click();
  await page.getByRole('button', { name: 'Delete for good' }).click();
  await page.getByText('The trash is empty.').first().waitFor();
});

test('network-pause: every running session says that egress is held', async () => {
  await go(page, '#/');
  await page.getByRole('button', { name: 'Pause all network' }).click();
  await row('fix-rounding').getByText('Egress held').waitFor();
  await page.getByRole('button', { name: 'Network paused' }).click();
  await row('fix-rounding').getByText('Egress held').waitFor({ state: 'detached' });
});

test('daemon-gone: it is said, and the list is right again when it is back', async () => {
  await world.stopDaemon();
  await page.getByText('The daemon does not answer.').waitFor();
  await row('second').waitFor();
  await world.restart();
  // Links and cookies live in the daemon's memory: a browser signs in again, a window would not have to.
  await page.getByText('This browser is signed out.').waitFor({ timeout: 30_000 });
  await page.goto(/http:\/\/\S+/.exec(world.run('web'))?.[0] ?? '');
  await page.getByText('Connected', { exact: true }).waitFor();
  await row('second').waitFor();
});
