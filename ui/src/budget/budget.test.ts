import { expect, test } from 'vitest';
import type { BudgetView } from '../api/types.ts';
import { doubled, percent, usedWords, wrong } from './budget.ts';

const view: BudgetView = { budget: '5.00usd', words: '$5.00', tokens: 1_600_000, dollars: 4.1, share: 0.829, near: true, held: null };

test('a budget is said in its own unit', () => {
  expect(usedWords(view)).toBe('$4.10 of $5.00');
  expect(usedWords({ ...view, dollars: null })).toBe('an unknown sum of $5.00');
  expect(usedWords({ ...view, budget: '2000000tokens', words: '2,000,000 tokens' })).toBe('1.6M of 2,000,000 tokens');
  expect(percent(view)).toBe(82);
});

test('twice the budget is offered', () => {
  expect(doubled('5.00usd')).toBe('10usd');
  expect(doubled('2.25usd')).toBe('4.5usd');
  expect(doubled('2000000tokens')).toBe('4000000tokens');
  expect(doubled('what')).toBe('');
});

test('a slip of the finger is said before anything is asked', () => {
  for (const right of ['', 'none', '5usd', '$2.50', '2 Mtokens', '1_000 tokens']) expect(wrong(right)).toBeUndefined();
  for (const slip of ['5', '5 eur', 'usd', '-1usd']) expect(wrong(slip)).toBeDefined();
});
