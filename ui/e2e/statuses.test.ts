// What an agent can be found doing: the same word, sign and colour in the list, over the tabs and in its chat, in every theme.
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { AgentStatus, Approval, ConversationView, Item, Session, Standing, ToolDetail } from '../src/api/types.ts';
import { go, open, type Theme } from './browser.ts';
import { inspect } from './look.ts';
import { browser, create, scene, world } from './scene.ts';

const NOW = Date.now();

type Said = AgentStatus extends infer One ? (One extends { status: unknown } ? Omit<One, 'since_ms'> : never) : never;

interface Case {
  title: string;
  status: Said;
  standing: Standing;
  /** What a person reads of it. */
  word: string;
  change?: Partial<Pick<Session, 'last_line'>>;
  items: Item[];
  approvals?: Approval[];
}

let made = 0;
const place = (state: Item['state'] = 'done', seen: Item['seen'] = ['tap', 'transcript']) => {
  made += 1;
  return { id: `i${String(made).padStart(4, '0')}`, parent: null, turn: null, order: made, at_ms: NOW - 3_600_000 + made * 1000, state, seen };
};
const prompt = (text: string): Item => ({ ...place(), kind: 'prompt', text, images: 0, origin: 'person' });
const says = (text: string, state: Item['state'] = 'done'): Item => ({ ...place(state), kind: 'text', text, model: 'scripted' });
const does = (title: string, detail: ToolDetail, state: Item['state'] = 'done', text = '', ms: number | null = 1240): Item => ({
  ...place(state),
  kind: 'tool',
  tool: 'Tool',
  title,
  input: {},
  detail,
  outcome: state === 'done' || state === 'failed' ? { text, images: 0, ms } : null,
});
const runs = (command: string, purpose: string | null, state: Item['state'] = 'done', text = '', exit: number | null = 0): Item => does(`Running ${command}`, { does: 'command', command, purpose, exit }, state, text);
const edits = (): Item =>
  does('Editing price.py', {
    does: 'edit',
    path: '/workspace/price.py',
    hunks: [{ old_start: 1, new_start: 1, lines: [' def total(items):', '-    return sum(i.price for i in items)', '+    return round(sum(i.price for i in items), 2)'] }],
  });
const asked = (): Item => prompt('Round the prices to cents, and say in the README that they are exact.');
const task = (): Item[] => [asked(), says('I look at how the prices are added up.'), does('Reading price.py', { does: 'read', path: '/workspace/price.py' }), edits()];

const touch: Approval = { id: 'a1', item: null, asked_ms: NOW - 9_000, agent: null, seen: true, wants: 'tool', tool: 'Bash', exactly: 'rm -rf build && npm run build', says: 'Builds the shop anew, so that nothing old is left in what is delivered to the customers of the shop.' };

const cases: Case[] = [
  { title: 'Rounding of prices', status: { status: 'working', doing: 'Running npm test -- --runInBand --coverage prices' }, standing: 'working', word: 'Working', items: [...task(), runs('npm test -- --runInBand --coverage prices', 'Runs the tests of the prices', 'running')] },
  { title: 'Port to Postgres', status: { status: 'working', doing: null }, standing: 'working', word: 'Working', items: [asked(), says('The schema has three tables. I begin with', 'streaming')] },
  { title: 'Clean build', status: { status: 'needs_approval', item: null }, standing: 'needs-you', word: 'Needs approval', change: { last_line: 'I build it anew.' }, items: [...task(), runs('rm -rf build && npm run build', null, 'running')], approvals: [touch] },
  { title: 'Where the orders are kept', status: { status: 'needs_input', item: null }, standing: 'needs-you', word: 'Needs input', items: [asked(), { ...place('running'), kind: 'question', questions: [{ question: 'Which database?', header: 'Database', several: false, options: [{ label: 'SQLite', description: 'one file' }] }], answers: [] }] },
  { title: 'Tidy the README', status: { status: 'idle' }, standing: 'idle', word: 'Idle', items: [...task(), says('Prices are **rounded to cents** now, and `README.md` says so.')] },
  { title: 'Dark theme', status: { status: 'done' }, standing: 'ready', word: 'Ready', change: { last_line: 'The theme follows the system.' }, items: [asked(), says('The theme follows the system.')] },
  { title: 'Print the invoice', status: { status: 'done' }, standing: 'idle', word: 'Done', items: [asked(), says('It is printed.')] },
  {
    title: 'Search that finds plurals',
    status: { status: 'failed', why: 'The model answered with 529: Overloaded. It was tried 10 times over three minutes and given up.' },
    standing: 'needs-you',
    word: 'Failed',
    items: [asked(), { ...place('failed'), kind: 'error', status: 529, error: 'overloaded_error', message: 'Overloaded', retry: { attempt: 10, most: 10, delay_ms: null } }],
  },
  { title: 'Delivery to Switzerland', status: { status: 'interrupted' }, standing: 'idle', word: 'Interrupted', items: [...task(), runs('sleep 300', 'Waits for the server', 'interrupted')] },
  { title: 'Import of the old orders', status: { status: 'stuck' }, standing: 'needs-you', word: 'Stuck', items: [asked(), { ...place('running'), kind: 'error', status: 500, error: 'api_error', message: 'Internal server error', retry: { attempt: 3, most: 10, delay_ms: 4000 } }] },
  { title: 'A title of a task that is so long that no list of sessions and no head of a page has the room to show the whole of it', status: { status: 'unknown' }, standing: 'working', word: 'Unknown', items: [asked()] },
];

const idOf = (at: number) => `case${at}`;

function sessions(first: Session): Session[] {
  return cases.map(({ title, status, standing, change }, at): Session => ({
    ...first,
    id: idOf(at),
    name: `task-${at}`,
    title,
    branch: `clauderon/task-${at}`,
    status: { ...status, since_ms: NOW - (at + 1) ** 3 * 40_000 } as AgentStatus,
    standing,
    last_line: null,
    created_ms: NOW - at * 60_000,
    ...change,
    state: 'running',
  }));
}

function conversation({ items, approvals = [], status }: Case): ConversationView {
  const usage = { input: 40_200, output: 5200, cache_read: 812_000, cache_write: 31_000, cache_write_hour: 0, reasoning: 0 };
  return {
    number: 1,
    items,
    earlier: false,
    standing: {
      title: null,
      status: { ...status, since_ms: NOW } as AgentStatus,
      used: { usage, requests: 12, dollars: 1.84 },
      limits: { five_hour: { used: 0.82, resets_at_ms: NOW + 3_600_000, status: 'allowed_warning' }, weekly: { used: 0.31, resets_at_ms: NOW + 86_400_000, status: 'allowed' }, status: 'allowed_warning', binding: 'five_hour' },
      held: null,
      approvals,
    },
    turns: [{ turn: items[0]?.id ?? null, sum: { usage, requests: 4, dollars: 0.31 } }],
    messages: [],
  };
}

async function stand(page: Page): Promise<void> {
  // The link has been used once this is there.
  await page.locator('[data-session="first"]').waitFor();
  await page.routeWebSocket(/\/ws\/events/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((message) => {
      const event = JSON.parse(String(message)) as { type: string; sessions?: Session[] };
      const [first] = event.sessions ?? [];
      if (event.type === 'state' && first) socket.send(JSON.stringify({ ...event, sessions: sessions(first) }));
    });
  });
  await page.routeWebSocket(/\/ws\/conversation\//, (socket) => {
    const shown = cases.find((_, at) => new RegExp(`/${idOf(at)}\\b`).test(socket.url()));
    if (shown) socket.send(JSON.stringify({ type: 'state', ...conversation(shown) }));
    socket.onMessage(() => undefined);
  });
  await page.reload();
  await page.locator('[data-session="task-0"]').waitFor();
}

scene({ before: () => create('first', 'Hello.') });

for (const theme of ['dark', 'light', 'contrast'] satisfies Theme[]) {
  for (const [width, height] of [[1280, 800], [900, 600]] as const) {
    test(`statuses: what each agent does is said in the list, over the tabs and in its chat, ${theme}, ${width} × ${height}`, { timeout: 180_000 }, async () => {
      const { page, faults } = await open(browser, world, { theme, width, height });
      await stand(page);
      const found = await inspect(page, `statuses-list-${theme}-${width}`);
      for (const [at, { word }] of cases.entries()) await page.locator(`[data-session="task-${at}"]`).getByText(word, { exact: true }).first().waitFor({ state: 'attached' });
      for (const [at, { word, title, items }] of cases.entries()) {
        await go(page, `#/session/${idOf(at)}/chat`);
        await page.getByRole('heading', { name: title }).waitFor();
        await page.locator('header', { has: page.getByRole('heading', { name: title }) }).getByText(word, { exact: true }).waitFor();
        await page.getByTestId('chat-status').getByText(word, { exact: true }).waitFor();
        await page.locator(`[data-key="${items.at(-1)?.id}"]`).waitFor();
        found.push(...(await inspect(page, `statuses-${at}-${word.toLowerCase().replace(' ', '-')}-${theme}-${width}`)));
      }
      expect(found).toEqual([]);
      expect(faults).toEqual([]);
      await page.context().close();
    });
  }
}
