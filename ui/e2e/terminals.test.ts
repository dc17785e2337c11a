// More terminals than are kept alive at once, and what a session that prints shows.
import { beforeAll, expect, test } from 'vitest';
import type { Session } from '../src/api/types.ts';
import { LIVE } from '../src/terminal/pool.ts';
import { go } from './browser.ts';
import { inspect, photograph } from './look.ts';
import { create, page, scene, world } from './scene.ts';
import { replaceAgent } from './world.ts';

const LINES = 300;

/** An agent that says its prompt again and again, and then what it hears; where it prints, on both pipes, and fails. */
const AGENT = `#!/bin/bash
name="\${!#}"
name="\${name%$'\\n'}"
for (( line = 1; line <= ${LINES}; line++ )); do echo "$name, line $line ✓"; done
if [[ " $* " == *' -p '* ]]; then echo "$name, what went wrong ✗" >&2; exit 3; fi
echo "$name is ready"
while read -r words; do echo "$name heard $words"; done
`;

/** How often the console of a session was opened, and how many of them are open. */
const consoles = new Map<string, { opened: number; live: number }>();

const rows = () => page.locator('.xterm-rows:visible');
const row = (text: string) => rows().getByText(text, { exact: true });
const ids = () => Object.fromEntries((JSON.parse(world.run('list', '--json')) as Session[]).map(({ name, id }) => [name, id]));

scene({ before: () => replaceAgent(world, AGENT) });

beforeAll(() => {
  page.on('websocket', (socket) => {
    const id = /console\/([^/?]+)/.exec(socket.url())?.[1];
    if (id === undefined) return;
    const one = consoles.get(id) ?? { opened: 0, live: 0 };
    consoles.set(id, one);
    one.opened += 1;
    one.live += 1;
    socket.on('close', () => (one.live -= 1));
  });
});

test('terminals-many: the terminal that was looked at longest ago is let go, and comes back as it was', { timeout: 180_000 }, async () => {
  const names = Array.from({ length: LIVE + 1 }, (_, at) => `task-${at}`);
  for (const name of names) create(name, name);
  const id = ids();
  const show = async (name: string) => {
    await go(page, `#/session/${id[name]}/terminal`);
    await row(`${name} is ready`).waitFor();
  };
  const [first = '', second = ''] = names;
  for (const name of names) await show(name);
  await expect.poll(() => consoles.get(id[first] ?? '')?.live).toBe(0);
  expect([...consoles.values()].reduce((sum, one) => sum + one.live, 0)).toBe(LIVE);

  await show(second);
  expect(consoles.get(id[second] ?? '')?.opened).toBe(1);
  await show(first);
  expect(consoles.get(id[first] ?? '')?.opened).toBe(2);
  await page.locator('.xterm-helper-textarea:visible').focus();
  await page.keyboard.type('hello again');
  await row('hello again').waitFor();
  await page.keyboard.press('Enter');
  await row(`${first} heard hello again`).waitFor();
  // What was above the screen came back with it.
  for (let seen = 0; seen < LINES; seen += 10) await page.keyboard.press('Shift+PageUp');
  await row(`${first}, line 1 ✓`).waitFor();
});

test('print-view: a session that prints shows both of its pipes and how it ended, and nothing that could be typed into', async () => {
  // Where it fails, so does the command.
  expect(() => world.run('create', '--print', '--backend', 'bubblewrap', '--name', 'printed', '--prompt', 'printed')).toThrow();
  await page.locator('[data-session="printed"]').click();
  await page.getByRole('tab', { name: 'Terminal', selected: true }).waitFor();
  const failed = row('printed, what went wrong ✗');
  await failed.waitFor();
  await row(`printed, line ${LINES} ✓`).waitFor();
  await page.getByText('The agent ended with code 3.').waitFor();
  const colour = (text: string) => row(text).evaluate((element) => getComputedStyle(element).color);
  expect(await colour('printed, what went wrong ✗')).not.toBe(await colour(`printed, line ${LINES} ✓`));
  expect(await page.getByRole('button', { name: 'Start' }).count()).toBe(0);
  expect(await page.locator('.xterm-helper-textarea:visible').evaluate((field: HTMLTextAreaElement) => field.readOnly)).toBe(true);
  expect(await inspect(page, 'print-view')).toEqual([]);
  expect(await page.locator('.xterm-cursor:visible').count()).toBe(0);
  await page.reload();
  await failed.waitFor();
  await page.getByRole('tab', { name: 'Chat' }).click();
  await page.getByText('A session that prints takes one prompt, its first.').waitFor();
  expect(await page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true);
  await photograph(page, 'print-chat');
});
