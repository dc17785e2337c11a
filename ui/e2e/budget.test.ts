// A session that may spend so much: it is told at creation, asked for when it is used up, and raised in the chat.
import { expect, test } from 'vitest';
import { go } from './browser.ts';
import { look, picture } from './look.ts';
import { page, scene, script, world } from './scene.ts';


const chat = () => page.getByTestId('conversation');
const card = () => page.getByTestId('budget-card');

scene();

test('budget-card: what is used up waits for the person, who raises it in the chat', { timeout: 180_000 }, async () => {
  await page.getByRole('button', { name: /New session/ }).first().click();
  await page.getByRole('textbox', { name: 'Repository' }).or(page.getByLabel('Repository')).first().fill(world.repository);
  await page.getByRole('radio', { name: 'Bubblewrap' }).check();
  await page.getByRole('button', { name: /^More/ }).click();
  await page.getByLabel('Budget').fill('500');
  await page.getByRole('button', { name: /Create session/ }).click();
  await page.getByText('Write it like 5usd or 2Mtokens.').waitFor();
  await page.getByLabel('Budget').fill('500tokens');
  await page.getByLabel('Name').fill('thrifty');
  const prompt = script({ tool: 'Bash', input: { command: 'echo one' }, big: 4000 }, { text: 'After the raise.' });
  await page.getByLabel(/Prompt|What shall/).first().fill(prompt);
  await picture(page, 'budget-create');
  await page.getByRole('button', { name: /Create session/ }).click();

  await card().waitFor({ timeout: 90_000 });
  await card().getByText('Budget reached').waitFor();
  await chat().getByText('80 % of the budget of 500 tokens is used.', { exact: false }).waitFor();
  // What was typed for something else must not spend: nothing in the card has the focus.
  expect(await card().locator(':focus').count()).toBe(0);
  expect(await look(page, 'budget-card')).toEqual([]);

  await page.getByRole('tab', { name: 'Info' }).click();
  await page.getByRole('meter', { name: 'Budget used' }).waitFor();
  expect(await look(page, 'budget-info')).toEqual([]);

  await page.getByRole('tab', { name: 'Chat' }).click();
  await card().getByLabel('Raise to').fill('1Mtokens');
  await card().getByRole('button', { name: 'Raise' }).click();
  await card().waitFor({ state: 'detached' });
  await chat().getByText('After the raise.', { exact: true }).waitFor({ timeout: 60_000 });
});

test('usage-page: what was used stands in the settings', async () => {
  await go(page, '#/settings/usage');
  await page.getByRole('rowheader', { name: 'All' }).waitFor();
  await page.getByRole('radio', { name: 'Account' }).check();
  await page.getByRole('rowheader', { name: 'Claude subscription' }).waitFor();
  expect(await look(page, 'usage-page')).toEqual([]);
});
