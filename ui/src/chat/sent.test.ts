import { expect, test } from 'vitest';
import type { MessageView } from '../api/types.ts';
import { deedsOf, messageOf, onTheirWay } from './sent.ts';

const base = { text: 'hi', now: false, at_ms: 0, since_ms: 0, typed_ms: null, waits: null, why: null };
const all: MessageView[] = [
  { ...base, id: 'a', stage: 'answered', item: 'p1' },
  { ...base, id: 'b', stage: 'entered' },
  { ...base, id: 'c', stage: 'not_delivered', reason: 'cut_off' },
  { ...base, id: 'd', stage: 'typed' },
  { ...base, id: 'e', stage: 'queued', waits: 'working' },
];

test('what the agent took stands in the conversation alone', () => {
  expect(onTheirWay(all, 1000).map(({ id }) => id)).toEqual(['b', 'c', 'd', 'e']);
  expect(onTheirWay(all, 100_000).map(({ id }) => id)).toEqual(['c', 'd', 'e']);
  expect(messageOf(all, 'p1')?.id).toBe('a');
  expect(messageOf(all, 'p2')).toBeUndefined();
});

test('what was typed can be neither taken back nor typed again by mistake', () => {
  const deeds = (id: string) => {
    const message = all.find((one) => one.id === id);
    return message && Object.entries(deedsOf(message)).flatMap(([deed, may]) => (may ? [deed] : []));
  };
  expect(deeds('a')).toEqual([]);
  expect(deeds('c')).toEqual(['retry', 'withdraw']);
  expect(deeds('d')).toEqual([]);
  expect(deeds('e')).toEqual(['now', 'edit', 'withdraw']);
});
