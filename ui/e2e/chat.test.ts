// A session driven from its chat, with the real Claude Code behind a scripted model; and a conversation of ten thousand items.
import { expect, test } from 'vitest';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kept } from './browser.ts';
import { look } from './look.ts';
import { create, page, scene, script, world } from './scene.ts';


const chat = () => page.getByTestId('conversation');
const prompt = (text: string) => chat().getByRole('article', { name: 'Prompt' }).filter({ hasText: text });
const composer = () => page.getByRole('textbox', { name: 'Message to the agent' });
const status = () => page.getByTestId('chat-status');
const row = (name: string) => page.locator(`[data-session="${name}"]`);

scene({ before: () => create('by-chat', script({ text: 'I am **ready**.' })) });

/** The workspace of the one session. */
function workspace(): string {
  const [session] = JSON.parse(world.run('list', '--json')) as { id: string }[];
  return join(world.home, 'sessions', session?.id ?? '', 'workspace');
}

test('chat-task: a whole task from the chat alone, then the same session in the terminal, and back', async () => {
  await row('by-chat').click();
  await page.getByRole('tab', { name: 'Chat', selected: true }).waitFor();
  await chat().locator('strong', { hasText: 'ready' }).waitFor({ timeout: 60_000 });
  await status().getByText('Idle').waitFor({ timeout: 40_000 });

  await composer().fill(script({ text: 'I make the file.', tool: 'Bash', input: { command: 'echo made-by-chat > made.txt; cat made.txt' } }, { text: 'I made `made.txt`.' }));
  await page.keyboard.press('Enter');
  await chat().getByText('I make the file.', { exact: true }).waitFor({ timeout: 40_000 });
  await chat().locator('code', { hasText: 'made.txt' }).last().waitFor({ timeout: 40_000 });
  expect(await composer().inputValue()).toBe('');
  await chat().getByRole('button', { name: /^Ran echo/ }).click();
  await chat().getByLabel('What came of it').getByText('made-by-chat').waitFor();
  await status().getByText('Idle').waitFor({ timeout: 40_000 });

  await page.getByRole('tab', { name: 'Terminal' }).click();
  await page.locator('.xterm-rows').getByText(/I made/).last().waitFor();
  await page.locator('.xterm-helper-textarea').first().focus();
  await page.keyboard.type(script({ text: 'Typed by hand.' }));
  // An Enter in the same breath as the last letter would be a part of what looks like a paste.
  await page.locator('.xterm-rows').getByText(/by hand\."\}\]/).last().waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.xterm-rows').getByText(/● Typed by hand\./).last().waitFor({ timeout: 40_000 });

  await page.getByRole('tab', { name: 'Chat' }).click();
  await chat().getByText('Typed by hand.', { exact: true }).waitFor();
  // The system says late that the address has changed: who writes by then goes on writing in the same field.
  const field = await composer().elementHandle();
  await page.evaluate(() => {
    window.dispatchEvent(new HashChangeEvent('hashchange'));
    return new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  });
  expect(await field?.evaluate((element) => element.isConnected && element === document.activeElement)).toBe(true);
  expect(await chat().getByRole('article', { name: 'Prompt' }).count()).toBe(3);

  // What each prompt used was told as it is, although requests were counted before it was known which prompt they answer.
  const used = () => chat().getByRole('article', { name: 'Prompt' }).locator('.sum').allInnerTexts();
  await status().getByText('Idle').waitFor({ timeout: 40_000 });
  await expect.poll(async () => (await used()).length).toBe(3);
  const told = await used();
  await page.reload();
  await expect.poll(used).toEqual(told);
});

test('chat-interrupt: Esc in the composer ends what the agent does', async () => {
  await composer().fill(script({ text: 'I wait.', tool: 'Bash', input: { command: 'sleep 300' } }));
  await page.keyboard.press('Enter');
  await status().getByText('Working').waitFor({ timeout: 40_000 });
  await chat().getByRole('button', { name: /^Running sleep 300/ }).waitFor({ timeout: 40_000 });
  await status().getByText(/sleep 300/).waitFor({ timeout: 40_000 });
  await composer().press('Escape');
  await chat().getByRole('button', { name: /^Running sleep 300.*Interrupted/ }).waitFor({ timeout: 40_000 });
  await status().getByText(/Interrupted|Idle/).waitFor({ timeout: 40_000 });
});

test('chat-draft: what was written is kept over a reload and a failure, and the arrow brings back what was sent', async () => {
  await kept(page, 'Not sent yet.', () => composer().fill('Not sent yet.'));
  await page.reload();
  await composer().waitFor();
  await expect.poll(() => composer().inputValue()).toBe('Not sent yet.');

  await page.route(/\/messages$/, (route) => route.abort());
  await composer().press('Enter');
  await page.getByRole('alert').getByText(/^Not sent/).waitFor();
  expect(await composer().inputValue()).toBe('Not sent yet.');
  await page.unroute(/\/messages$/);

  await composer().fill('');
  await chat().getByRole('article').last().waitFor();
  await composer().press('ArrowUp');
  await expect.poll(() => composer().inputValue()).toContain('sleep 300');
  await composer().press('ArrowDown');
  await expect.poll(() => composer().inputValue()).toBe('');
});

test('chat-queue: a message waits while the agent works, is edited, withdrawn, typed and answered; it is there after a reload', { timeout: 180_000 }, async () => {
  const sent = () => page.getByRole('list', { name: 'Messages on their way' });
  await status().getByText(/Interrupted|Idle/).waitFor({ timeout: 40_000 });
  await composer().fill(script({ text: 'I am busy.', tool: 'Bash', input: { command: 'while ! test -e go; do sleep 0.2; done' } }, { text: 'I have time.' }));
  await composer().press('Enter');
  await status().getByText('Working').waitFor({ timeout: 40_000 });
  await page.getByRole('button', { name: 'Queue' }).waitFor();
  await prompt('I am busy.').getByText('Accepted').waitFor({ timeout: 40_000 });

  await composer().fill('say first');
  await composer().press('Enter');
  await sent().getByText('It is typed when the agent has finished.').waitFor();
  await composer().fill('say second');
  await composer().press('Enter');
  await sent().getByText('It is typed after the message before it.').waitFor();
  expect(await look(page, 'chat-queue')).toEqual([]);

  await page.reload();
  await sent().getByText('say first', { exact: true }).waitFor();
  await sent().getByRole('listitem').filter({ hasText: 'say second' }).getByRole('button', { name: 'Edit' }).click();
  await expect.poll(() => composer().inputValue()).toBe('say second');
  await composer().fill('say third');
  await composer().press('Enter');
  await sent().getByText('say third', { exact: true }).waitFor();
  await composer().fill('say nothing');
  await composer().press('Enter');
  await sent().getByRole('listitem').filter({ hasText: 'say nothing' }).getByRole('button', { name: 'Withdraw' }).click();
  await sent().getByText('say nothing', { exact: true }).waitFor({ state: 'detached' });

  writeFileSync(join(workspace(), 'go'), '');
  await prompt('say third').getByText('Answered').waitFor({ timeout: 60_000 });
  await sent().waitFor({ state: 'detached' });
  const prompts = await chat().getByRole('article', { name: 'Prompt' }).allInnerTexts();
  expect(prompts.filter((text) => text.includes('say')).map((text) => text.split('\n')[0])).toEqual(['say first', 'say third']);
});

test('chat-undelivered: a message of which the agent shows nothing says so, and is tried again or put aside', async () => {
  const message = { id: 'm', text: 'Never taken.', stage: 'not_delivered', reason: 'cut_off', now: false, at_ms: 1, since_ms: 1, typed_ms: 1, waits: null, why: 'Typing it broke off, so it may stand in the terminal. Look there before you try again.' };
  const asked: string[] = [];
  let stands = true;
  await page.routeWebSocket(/\/ws\/conversation\//, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((text) => {
      const event = JSON.parse(String(text)) as { type: string };
      socket.send(stands && event.type === 'state' ? JSON.stringify({ ...event, messages: [message] }) : text);
    });
  });
  await page.route(/\/messages(\?|$)/, (route) => {
    asked.push(`${route.request().method()} ${route.request().postData() ?? ''}`);
    return route.fulfill({ json: message });
  });
  await page.reload();
  const sent = page.getByRole('list', { name: 'Messages on their way' });
  await sent.getByText('Not delivered').waitFor();
  await sent.getByText('Look there before you try again.').waitFor();
  expect(await look(page, 'chat-undelivered')).toEqual([]);
  await sent.getByRole('button', { name: 'Retry' }).click();
  await sent.getByRole('button', { name: 'Withdraw' }).click();
  await expect.poll(() => asked).toEqual(['PATCH {"id":"m","change":"retry"}', 'DELETE ']);
  await sent.getByRole('button', { name: 'Terminal' }).click();
  await page.getByRole('tab', { name: 'Terminal', selected: true }).waitFor();
  stands = false;
  await page.unrouteAll();
  await page.reload();
  await page.getByRole('tab', { name: 'Chat' }).click();
});

test('chat-names: files after an @ and commands after a / are offered and chosen with the keys', async () => {
  const offers = (name: string) => page.getByRole('listbox', { name });
  await composer().click();
  await composer().pressSequentially('read @READ');
  await offers('Files').getByRole('option', { name: 'README.md', selected: true }).waitFor();
  expect(await look(page, 'chat-names')).toEqual([]);
  await composer().press('Enter');
  expect(await composer().inputValue()).toBe('read @README.md ');
  await offers('Files').waitFor({ state: 'detached' });

  await composer().fill('');
  await composer().pressSequentially('/com');
  await offers('Commands').getByRole('option', { name: /compact/, selected: true }).waitFor();
  await composer().press('Escape');
  await offers('Commands').waitFor({ state: 'detached' });
  await composer().pressSequentially('p');
  expect(await offers('Commands').count()).toBe(0);
  await composer().fill('');
  await composer().pressSequentially('/com');
  await offers('Commands').getByRole('option', { name: /compact/, selected: true }).waitFor();
  await composer().press('Tab');
  expect(await composer().inputValue()).toBe('/compact ');
  await composer().fill('');
});

test('chat-find: words are found in the conversation, from the newest to the oldest', async () => {
  await composer().press('Control+f');
  const find = page.getByRole('textbox', { name: 'Find in chat' });
  await find.fill('made.txt');
  await page.getByRole('search').getByText(/^(\d+) of \1$/).waitFor();
  await chat().locator('.found').waitFor();
  await find.press('Enter');
  await chat().locator('.found').waitFor();
  expect(await look(page, 'chat-find')).toEqual([]);
  await find.fill('words that nobody said');
  await page.getByRole('search').getByText('None').waitFor();
  await find.press('Escape');
  await find.waitFor({ state: 'detached' });
});

test('chat-stopped: a session that does not run says so and can be started', async () => {
  world.run('stop', 'by-chat');
  await page.getByText('The session does not run.').waitFor();
  expect(await page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true);
  await chat().getByText('Typed by hand.', { exact: true }).waitFor();
});

const COUNT = 10_000;
const PAGE = 500;

/** Item number `at` of a long conversation. */
function item(at: number): unknown {
  const kinds = [
    { kind: 'prompt', text: `Question ${at}`, images: 0, origin: 'person' },
    { kind: 'text', text: `Answer **${at}** with \`code\`.\n\n- one\n- two\n\n${'A longer line of text. '.repeat(at % 9)}`, model: 'scripted' },
    { kind: 'tool', tool: 'Bash', title: `Running step ${at}`, input: {}, detail: { does: 'command', command: `step ${at}`, purpose: null, exit: 0 }, outcome: { text: 'ok\n'.repeat(at % 20), images: 0, ms: 12 } },
    { kind: 'tool', tool: 'Edit', title: `Editing ${at}.rs`, input: {}, detail: { does: 'edit', path: `${at}.rs`, hunks: [{ old_start: 1, new_start: 1, lines: [' fn a() {', '-  1', '+  2', ' }'] }] }, outcome: { text: '', images: 0, ms: null } },
  ];
  return { id: `i${String(at).padStart(6, '0')}`, parent: null, turn: null, order: at, at_ms: 1_700_000_000_000 + at * 1000, state: 'done', seen: ['tap'], ...kinds[at % kinds.length] };
}

test('chat-long: ten thousand items open at once, scroll without a stall and keep their place', { timeout: 120_000 }, async () => {
  const usage = { input: 0, output: 0, cache_read: 0, cache_write: 0, cache_write_hour: 0, reasoning: 0 };
  const part = (to: number) => {
    const from = Math.max(0, to - PAGE);
    return {
      number: 1,
      items: Array.from({ length: to - from }, (_, at) => item(from + at)),
      earlier: from > 0,
      standing: { title: null, status: { status: 'idle', since_ms: 0 }, used: { usage, requests: 0, dollars: null }, limits: { five_hour: null, weekly: null, status: null, binding: null } },
      turns: [],
      messages: [],
    };
  };
  const state = JSON.stringify({ type: 'state', ...part(COUNT) });
  await page.routeWebSocket(/\/ws\/conversation\//, (socket) => {
    socket.send(state);
    socket.onMessage(() => undefined);
  });
  await page.route(/\/api\/sessions\/[^/]+\/conversation/, (route) => {
    const before = new URL(route.request().url()).searchParams.get('before');
    return route.fulfill({ json: part(before === null ? COUNT : Number(before.slice(1))) });
  });
  await row('by-chat').click();
  await page.getByRole('tab', { name: 'Info' }).click();
  await page.getByRole('heading', { name: 'Sandbox' }).waitFor();
  const opened = await page.evaluate(async () => {
    const began = performance.now();
    document.querySelector<HTMLElement>('#session-panel-chat')?.click();
    while (!document.querySelector('[data-testid="conversation"] [data-key="i009999"]')) await new Promise(requestAnimationFrame);
    return performance.now() - began;
  });
  console.log(`chat-long: opened in ${Math.round(opened)} ms`);
  expect(opened).toBeLessThan(500);

  // The person reads on: every page comes, and what is under the eye stays where it is.
  const walked = await page.evaluate(async () => {
    const view = document.querySelector<HTMLElement>('[data-testid="conversation"]');
    if (!view) throw new Error('no conversation');
    // After a frame was painted: before that, rows that are drawn for the first time have not been measured.
    const frame = () => new Promise<number>((done) => requestAnimationFrame((now) => setTimeout(() => done(now))));
    const took: number[] = [];
    let jumps = 0;
    let last = await frame();
    for (let step = 0; step < 3000 && !document.querySelector('[data-key="i000000"]'); step += 1) {
      const eye = [...view.querySelectorAll<HTMLElement>('[data-key]')].find((one) => one.getBoundingClientRect().top > view.getBoundingClientRect().top + 50);
      const was = eye?.getBoundingClientRect().top ?? 0;
      const by = Math.min(view.scrollTop, step % 4 === 0 ? 220 : 2400);
      view.scrollTop -= by;
      const now = await frame();
      took.push(now - last);
      last = now;
      if (by < 500 && eye?.isConnected && Math.abs(eye.getBoundingClientRect().top - was - by) > 2) jumps += 1;
    }
    took.sort((a, b) => a - b);
    return { frames: took.length, p95: took[Math.floor(took.length * 0.95)] ?? 0, most: took.at(-1) ?? 0, jumps, elements: view.querySelectorAll('[data-key]').length, first: document.querySelector('[data-key="i000000"]') !== null };
  });
  console.log('chat-long:', walked);
  expect(walked.first).toBe(true);
  expect(walked.elements).toBeLessThan(150);
  expect(walked.p95).toBeLessThan(250);
  expect(walked.jumps).toBeLessThan(walked.frames / 20);
  await page.getByRole('button', { name: 'Latest' }).click();
  await page.locator('[data-key="i009999"]').waitFor();
  expect(await chat().getAttribute('data-following')).toBe('true');
});
