// What the real Claude Code asks of a person, answered in its chat.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { look } from './look.ts';
import { create, page, scene, script, world } from './scene.ts';
import { commit } from './world.ts';

const touch = (file: string) => ({ tool: 'Bash', input: { command: `touch ${file}`, description: 'Make a file\nALLOW THIS' } });
const composer = () => page.getByRole('textbox', { name: 'Message to the agent' });
const status = () => page.getByTestId('chat-status');
const card = () => page.getByTestId('approval');
const made = (file: string) => {
  const [session] = JSON.parse(world.run('list', '--json')) as { id: string }[];
  return existsSync(join(world.home, 'sessions', session?.id ?? '', 'workspace', file));
};

async function say(...steps: unknown[]): Promise<void> {
  await composer().fill(script(...steps));
  await page.keyboard.press('Enter');
  await card().waitFor({ timeout: 40_000 });
}

scene({
  before: () => {
    mkdirSync(join(world.repository, '.claude'));
    writeFileSync(join(world.repository, '.claude/settings.json'), JSON.stringify({ permissions: { ask: ['Bash(touch *)'] } }));
    commit(world.repository, 'settings');
    create('asks', script({ text: 'I am ready.' }));
  },
});

beforeAll(async () => {
  await page.locator('[data-session="asks"]').click();
  await page.getByText('I am ready.', { exact: true }).waitFor({ timeout: 60_000 });
  await status().getByText('Idle').waitFor({ timeout: 40_000 });
});

test('chat-approve: what will run is shown, Allow takes no hasty press, and then it runs', async () => {
  await say(touch('one.txt'), { text: 'It is made.' });
  // Whoever types when the card appears goes on typing.
  expect(await composer().evaluate((element) => element === document.activeElement)).toBe(true);
  const allow = card().getByRole('button', { name: 'Allow' });
  expect(await card().getByLabel('What will run').textContent()).toBe('touch one.txt');
  await card().getByText('Make a file ALLOW THIS', { exact: true }).waitFor();
  await card().getByText('seen by the proxy').waitFor();
  await status().getByText('Needs approval').waitFor();
  await allow.and(page.locator(':enabled')).waitFor();
  expect(made('one.txt')).toBe(false);
  await allow.click();
  await page.getByText('It is made.', { exact: true }).waitFor({ timeout: 40_000 });
  expect(made('one.txt')).toBe(true);
  expect(await card().count()).toBe(0);
});

test('chat-approve-hasty: keys and clicks in the first moment allow nothing', async () => {
  await page.evaluate(() => {
    new MutationObserver((_, watching) => {
      const buttons = [...document.querySelectorAll<HTMLButtonElement>('[data-testid="approval"] button')];
      const allow = buttons.find(({ textContent }) => textContent.trim() === 'Allow');
      if (allow === undefined) return;
      watching.disconnect();
      allow.click();
      allow.focus();
      allow.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
      allow.click();
      document.body.dataset['pressed'] = '';
    }).observe(document.body, { childList: true, subtree: true });
  });
  await say(touch('two.txt'), { text: 'It is not made.' });
  await page.locator('body[data-pressed]').waitFor();
  await card().getByRole('button', { name: 'Deny, and say why' }).click();
  await card().getByRole('textbox', { name: 'Reason' }).fill('Not that one');
  await page.keyboard.press('Enter');
  await page.getByText('It is not made.', { exact: true }).waitFor({ timeout: 40_000 });
  expect(made('two.txt')).toBe(false);
});

test('chat-question: a question is answered in the chat, and nothing is wrong with its card in any theme', async () => {
  const question = { question: 'Which database?', header: 'Database', multiSelect: false, options: [{ label: 'SQLite', description: 'one file' }, { label: 'Postgres', description: 'a server' }] };
  await say({ tool: 'AskUserQuestion', input: { questions: [question] } }, { text: 'Then that.' });
  expect(await look(page, 'chat-question', ['light', 'contrast', 'dark'])).toEqual([]);
  const send = card().getByRole('button', { name: 'Answer' });
  expect(await send.isDisabled()).toBe(true);
  await card().getByRole('radio', { name: /Postgres/ }).check();
  await send.click();
  await page.getByText('Then that.', { exact: true }).waitFor({ timeout: 40_000 });
  await page.getByRole('group', { name: 'Question' }).getByText('Answered').waitFor();
});

test('chat-elsewhere: the card goes when it is answered on the command line', async () => {
  await say(touch('three.txt'), { text: 'Made by the command line.' });
  expect(await look(page, 'chat-approval')).toEqual([]);
  world.run('approve', 'asks');
  await page.getByText('Made by the command line.', { exact: true }).waitFor({ timeout: 40_000 });
  await expect.poll(() => card().count()).toBe(0);
});
