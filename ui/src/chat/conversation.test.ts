import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Socket } from '../api/transport.ts';
import type { ConversationEvent, ConversationView } from '../api/types.ts';
import { standing, text, view } from '../testing/items.ts';
import { Conversation } from './conversation.svelte.ts';

class Line implements Socket {
  onopen?: () => void;
  onmessage?: (message: string | Uint8Array) => void;
  onclose?: (why: string) => void;
  closed = false;
  send(): void {}
  close(): void {
    this.closed = true;
  }
  say(event: ConversationEvent): void {
    this.onmessage?.(JSON.stringify(event));
  }
}

let lines: Line[];
let page: (view: ConversationView) => void;
const asked: unknown[] = [];
const client = {
  conversationEvents: () => {
    const line = new Line();
    lines.push(line);
    return line;
  },
  conversation: (_session: string, part?: unknown) => {
    asked.push(part);
    return new Promise<ConversationView>((resolve) => (page = resolve));
  },
};
const ids = (one: Conversation) => one.shown?.items.map(({ id }) => id);

beforeEach(() => {
  vi.useFakeTimers();
  lines = [];
  asked.length = 0;
});
afterEach(() => vi.useRealTimers());

test('many news of one frame are shown once, and none is lost', () => {
  const one = new Conversation(client, 's');
  lines[0]?.say({ type: 'state', ...view([text({ id: 'a', order: 1 })]) });
  const first = one.shown;
  for (let number = 2; number < 50; number += 1) lines[0]?.say({ type: 'news', number, items: [text({ id: `n${number}`, order: number })], removed: [], standing, turns: [], messages: null });
  expect(one.shown).toBe(first);
  vi.advanceTimersByTime(20);
  expect(one.shown?.items.length).toBe(49);
  one.dispose();
});

test('a broken connection is begun anew, and what was shown stays until the whole state comes', () => {
  const one = new Conversation(client, 's');
  lines[0]?.say({ type: 'state', ...view([text({ id: 'a' })]) });
  lines[0]?.onclose?.('gone');
  expect(one.hearing).toBe('lost');
  expect(ids(one)).toEqual(['a']);
  vi.advanceTimersByTime(400);
  lines[1]?.say({ type: 'state', ...view([text({ id: 'b' })]) });
  vi.advanceTimersByTime(20);
  expect(one.hearing).toBe('live');
  expect(ids(one)).toEqual(['b']);
  one.dispose();
});

test('a page is asked for once, before the first item, and joined with what came meanwhile', async () => {
  const one = new Conversation(client, 's');
  lines[0]?.say({ type: 'state', ...view([text({ id: 'c', order: 3 })], { earlier: true }) });
  const paged = one.earlier();
  void one.earlier();
  expect(asked).toEqual([{ before: 'c' }]);
  lines[0]?.say({ type: 'news', number: 2, items: [text({ id: 'd', order: 4 })], removed: ['b'], standing, turns: [], messages: null });
  page(view([text({ id: 'a', order: 1 }), text({ id: 'b', order: 2 })]));
  await paged;
  vi.advanceTimersByTime(20);
  expect(ids(one)).toEqual(['a', 'c', 'd']);
  expect(one.paging).toBe(false);
  one.dispose();
});

test('a page of a conversation that was forgotten is not shown', async () => {
  const one = new Conversation(client, 's');
  lines[0]?.say({ type: 'state', ...view([text({ id: 'c', order: 3 })], { earlier: true }) });
  const paged = one.earlier();
  lines[0]?.say({ type: 'state', ...view([text({ id: 'z', order: 9 })]) });
  page(view([text({ id: 'a', order: 1 })]));
  await paged;
  vi.advanceTimersByTime(20);
  expect(ids(one)).toEqual(['z']);
  one.dispose();
});

test('once disposed it hears and opens nothing', () => {
  const one = new Conversation(client, 's');
  one.dispose();
  expect(lines[0]?.closed).toBe(true);
  lines[0]?.onclose?.('closed');
  vi.advanceTimersByTime(60_000);
  expect(lines.length).toBe(1);
});
