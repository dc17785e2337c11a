import { expect, test } from 'vitest';
import { OutgoingTexts } from './outgoing.ts';

test('a text has one name until it arrived, over a reload too', () => {
  const kept = new Map<string, string>();
  const storage = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value), removeItem: (key: string) => void kept.delete(key) };
  let count = 0;
  const texts = () => new OutgoingTexts(storage, () => `name-${(count += 1)}`);
  expect(texts().begin('a', 'hi')).toBe('name-1');
  expect(texts().begin('a', 'hi')).toBe('name-1');
  expect(texts().begin('b', 'hi')).toBe('name-2');
  expect(texts().begin('a', 'ho')).toBe('name-3');
  expect(texts().of('a')).toEqual({ id: 'name-3', text: 'ho' });
  texts().arrived('a');
  expect(texts().of('a')).toBeUndefined();
  expect(texts().begin('a', 'ho')).toBe('name-4');
});
