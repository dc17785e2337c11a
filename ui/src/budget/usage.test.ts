import { expect, test } from 'vitest';
import type { AccountPlan, UsageDay } from '../api/types.ts';
import { rowsOf, windowsOf } from './usage.ts';

function day(day: string, model: string, dollars: number | null): UsageDay {
  return { day, account: 'anthropic_oauth_token', model, sum: { usage: { input: 10, output: 5, cache_read: 100, cache_write: 0, cache_write_hour: 0, reasoning: 0 }, requests: 2, dollars } };
}

test('rows add up, and a sum without a price says so', () => {
  const { rows, all } = rowsOf([day('2026-11-22', 'a', 0.25), day('2026-11-23', 'a', 1.5), day('2026-11-23', 'b', null)], 'day');
  expect(rows).toEqual([
    { name: '2026-11-23', requests: 4, read: 220, written: 10, cost: '$1.50 and more' },
    { name: '2026-11-22', requests: 2, read: 110, written: 5, cost: '$0.25' },
  ]);
  expect(all).toMatchObject({ requests: 6, cost: '$1.75 and more' });
  expect(rowsOf([day('2026-11-23', 'b', null)], 'model').rows[0]).toMatchObject({ name: 'b', cost: 'not known' });
  expect(rowsOf([], 'day')).toEqual({ rows: [], all: undefined });
});

test('a window that began anew is not shown, and one that nobody told of neither', () => {
  const plan: AccountPlan = { account: 'a', at_ms: 0, limits: { five_hour: { used: 0.9, resets_at_ms: 10, status: null }, weekly: { used: 0.42, resets_at_ms: null, status: null }, status: null, binding: null } };
  expect(windowsOf(plan, 5).map(({ percent }) => percent)).toEqual([90, 42]);
  expect(windowsOf(plan, 10).map(({ label }) => label)).toEqual(['Week']);
});
