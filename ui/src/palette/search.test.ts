import { expect, test } from 'vitest';
import { search } from './search.ts';

const entries = ['New session…', 'Rename session…', 'Settings: Storage', 'Pause all network', 'Fix rounding'].map((title) => ({ id: title, title, group: 'General', words: title.startsWith('Settings') ? 'trash restore' : '' }));
const found = (typed: string) => search(entries, typed).map((entry) => entry.title);

test('finds by the beginning, by words, by first letters and by other words', () => {
  expect(found('new')[0]).toBe('New session…');
  expect(found('session')).toEqual(['New session…', 'Rename session…']);
  expect(found('ns')[0]).toBe('New session…');
  expect(found('trash')).toEqual(['Settings: Storage']);
  expect(found('set stor')).toEqual(['Settings: Storage']);
  expect(found('xyzzy')).toEqual([]);
  expect(found('  ')).toHaveLength(5);
});
