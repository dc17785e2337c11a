import { describe, expect, test } from 'vitest';
import { session } from '../testing/session.ts';
import { matches, moved, rows, select, visible, windowOf } from './list.ts';
import { isFresh } from './seen.ts';

const keys = (list: ReturnType<typeof rows>) => list.map((row) => row.key);

describe('groups', () => {
  test('stand in the order of what needs the person, and empty ones are left out', () => {
    const list = rows([session({ id: 'a', standing: 'done' }), session({ id: 'b', standing: 'needs-you' }), session({ id: 'c', standing: 'working' })], '', []);
    expect(keys(list)).toEqual(['group:needs-you', 'b', 'group:working', 'c', 'group:done', 'a']);
  });

  test('hold pinned sessions first, then the newest', () => {
    const list = rows([session({ id: 'old', created_ms: 1 }), session({ id: 'new', created_ms: 9 }), session({ id: 'pin', created_ms: 0, pinned: true })], '', []);
    expect(keys(list)).toEqual(['group:working', 'pin', 'new', 'old']);
  });

  test('keep their order while agents work', () => {
    const before = rows([session({ id: 'a', created_ms: 2 }), session({ id: 'b', created_ms: 1 })], '', []);
    const after = rows([session({ id: 'a', created_ms: 2 }), session({ id: 'b', created_ms: 1, last_activity_ms: 99 })], '', []);
    expect(keys(after)).toEqual(keys(before));
  });

  test('that are collapsed say how many they hold, and open while a filter is set', () => {
    const all = [session({ id: 'a', standing: 'archived' }), session({ id: 'b', standing: 'archived' })];
    expect(rows(all, '', ['archived'])).toEqual([expect.objectContaining({ kind: 'group', count: 2, collapsed: true })]);
    expect(keys(rows(all, 'name-b', ['archived']))).toEqual(['group:archived', 'b']);
  });
});

test('a filter wants every word, wherever it stands', () => {
  const check = (filter: string, expected: boolean) =>
    expect(matches(session({ title: 'Fix rounding', agent: 'codex', last_line: 'reads price.py', repository: '/x/Storefront' }), filter), filter).toBe(expected);
  check('', true);
  check('round', true);
  check('ROUND codex', true);
  check('storefront price', true);
  check('working', true);
  check('round claude', false);
});

test('arrows walk over rows and hold at the ends', () => {
  const list = rows([session({ id: 'a', created_ms: 2 }), session({ id: 'b', created_ms: 1 })], '', []);
  expect(moved(list, 'a', 1, 'ArrowDown')).toBe('b');
  expect(moved(list, 'b', 2, 'ArrowDown')).toBe('b');
  expect(moved(list, 'a', 1, 'ArrowUp')).toBe('group:working');
  expect(moved(list, 'group:working', 0, 'ArrowUp')).toBe('group:working');
  expect(moved(list, null, -1, 'ArrowDown')).toBe('group:working');
  expect(moved(list, 'gone', 2, 'ArrowDown')).toBe('b');
  expect(moved(list, 'gone', 2, 'ArrowUp')).toBe('a');
  expect(moved([], null, -1, 'ArrowDown')).toBeNull();
});

test('a selection toggles one, or takes all from the anchor', () => {
  const list = rows(['a', 'b', 'c', 'd'].map((id, index) => session({ id, created_ms: 10 - index })), '', []);
  expect(visible(list).map((one) => one.id)).toEqual(['a', 'b', 'c', 'd']);
  expect([...select(list, new Set(['a']), 'a', 'toggle', null)]).toEqual([]);
  expect([...select(list, new Set(['a']), 'c', 'range', 'a')].sort()).toEqual(['a', 'b', 'c']);
  expect([...select(list, new Set(['d']), 'b', 'range', 'd')].sort()).toEqual(['b', 'c', 'd']);
  expect([...select(list, new Set(), 'b', 'range', 'gone')]).toEqual(['b']);
});

test('only the rows in the window are made, whatever the number', () => {
  const heights = Array.from({ length: 1000 }, () => 40);
  const { from, to, before, total } = windowOf(heights, 4000, 600, 200);
  expect(total).toBe(40_000);
  expect(before).toBe(from * 40);
  expect(from * 40).toBeLessThanOrEqual(3800);
  expect(to * 40).toBeGreaterThanOrEqual(4800);
  expect(to - from).toBeLessThan(30);
  expect(windowOf([], 0, 600, 200)).toEqual({ from: 0, to: 0, before: 0, total: 0 });
});

test('what has finished unseen is fresh', () => {
  const fresh = [session({ standing: 'ready' }), session({ standing: 'needs-you', state: 'exited', code: 1 })];
  const stale = [session({ standing: 'idle' }), session({ standing: 'needs-you', status: { status: 'stuck', since_ms: 1 } }), session({ standing: 'done', state: 'exited', code: 1 })];
  expect(fresh.map(isFresh)).toEqual([true, true]);
  expect(stale.map(isFresh)).toEqual([false, false, false]);
});
