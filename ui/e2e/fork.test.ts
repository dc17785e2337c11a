// A session is forked from its menu, with the real Claude Code behind a scripted model.
import { expect, test } from 'vitest';
import { look, picture } from './look.ts';
import { create, page, scene, script } from './scene.ts';


const chat = () => page.getByTestId('conversation');

scene({
  before: () => create('rounding', script({ text: 'I write a note.', tool: 'Bash', input: { command: 'echo half-up > note.txt' } }, { text: 'It rounds half up.' })),
});

test('fork: fork a session from its menu, see the earlier conversation and its files, and ask on', { timeout: 120_000 }, async () => {
  await page.locator('[data-session="rounding"]').click();
  await chat().getByText('It rounds half up.', { exact: true }).waitFor({ timeout: 60_000 });
  await page.getByTestId('chat-status').getByText('Idle').waitFor({ timeout: 40_000 });

  await page.getByRole('button', { name: /More for this session/ }).click();
  await page.getByRole('menuitem', { name: 'Fork…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Fork “rounding”' });
  await dialog.getByLabel('Name').fill('rounding');
  expect(await look(page, 'fork-dialog')).toEqual([]);
  await dialog.getByLabel('Name').press('Enter');
  await dialog.getByText('there is a session named rounding already').waitFor();
  await expect.poll(() => dialog.getByLabel('Name').evaluate((element) => element === document.activeElement)).toBe(true);
  await picture(page, 'fork-taken');

  await dialog.getByLabel('Name').fill('bankers');
  await dialog.getByLabel('Prompt').fill(script({ text: 'Now it rounds half to even.' }));
  await dialog.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('heading', { name: 'bankers', level: 1 }).waitFor({ timeout: 40_000 });
  await page.getByRole('tab', { name: 'Chat', selected: true }).waitFor();
  await chat().getByText('Now it rounds half to even.', { exact: true }).waitFor({ timeout: 40_000 });
  await chat().getByText('It rounds half up.', { exact: true }).waitFor();
  await expect.poll(() => chat().getByRole('article', { name: 'Prompt' }).count()).toBe(2);
  await page.getByTestId('chat-status').getByText('Idle').waitFor({ timeout: 40_000 });
  await picture(page, 'fork-chat');
  await page.getByRole('tab', { name: 'Diff' }).click();
  await page.getByRole('article', { name: 'note.txt' }).waitFor();

  // The first one stays as it was.
  await page.locator('[data-session="rounding"]').click();
  await page.getByRole('heading', { name: 'rounding', level: 1 }).waitFor();
  await page.getByRole('tab', { name: 'Chat' }).click();
  await chat().getByText('It rounds half up.', { exact: true }).waitFor();
  await expect.poll(() => chat().getByRole('article', { name: 'Prompt' }).count()).toBe(1);

  await page.keyboard.press('Control+k');
  await page.keyboard.type('fork session');
  await page.getByRole('option', { name: /^Fork/, selected: true }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Fork “rounding”' }).getByRole('button', { name: 'Cancel' }).click();
});
