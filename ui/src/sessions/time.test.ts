import { expect, test } from 'vitest';
import { ago, agoSpoken, bytes } from './time.ts';

test('says how long ago as short as it can be read', () => {
  const now = Date.UTC(2026, 5, 15, 12);
  const check = (passed: number, short: string, long: string) => expect([ago(now - passed, now), agoSpoken(now - passed, now)]).toEqual([short, long]);
  check(-5000, 'now', 'just now');
  check(59_999, 'now', 'just now');
  check(60_000, '1m', '1 minute ago');
  check(3_599_999, '59m', '59 minutes ago');
  check(3_600_000, '1h', '1 hour ago');
  check(86_400_000 * 6, '6d', '6 days ago');
  expect(ago(now - 86_400_000 * 30, now)).toMatch(/16/);
});

test('says bytes for a person', () => {
  expect([0, 999, 1000, 3_400_000, 120_000_000, 12_000_000_000].map(bytes)).toEqual(['0 B', '999 B', '1.0 kB', '3.4 MB', '120 MB', '12.0 GB']);
});
