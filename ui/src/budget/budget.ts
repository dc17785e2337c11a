// What a session may spend, in words and as a person types it.

import type { BudgetView } from '../api/types.ts';
import { count, dollars } from '../chat/words.ts';

/** "$4.10 of $5.00", "1.6M of 2M tokens". */
export function usedWords({ budget, tokens, dollars: spent, words }: BudgetView): string {
  const money = budget.endsWith('usd');
  if (!money) return `${count(tokens)} of ${words}`;
  return `${spent === null ? 'an unknown sum' : dollars(spent)} of ${words}`;
}

export function percent({ share }: BudgetView): number {
  return Math.floor(share * 100);
}

/** Twice the budget, as it is typed: what is offered when it is used up. */
export function doubled(budget: string): string {
  const found = /^(\d+)(?:\.(\d\d))?(usd|tokens)$/.exec(budget);
  if (found === null) return '';
  const [, whole = '0', part, unit] = found;
  if (unit === 'tokens') return `${Number(whole) * 2}tokens`;
  return `${((Number(whole) * 100 + Number(part ?? 0)) * 2) / 100}usd`;
}

/** What is wrong with a typed budget, before the daemon says so; nothing where it may be one. */
export function wrong(typed: string): string | undefined {
  const text = typed.trim();
  if (text === '' || text === 'none' || /^(\$[\d.,_]+|[\d.,_]+\s*usd|[\d.,_]+\s*[km]?\s*tokens?)$/i.test(text)) return undefined;
  return 'Write it like 5usd or 2Mtokens.';
}
