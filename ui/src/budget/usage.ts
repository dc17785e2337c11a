// What all sessions used, gathered for a table.

import type { AccountPlan, Tokens, UsageDay, Window } from '../api/types.ts';
import { dollars } from '../chat/words.ts';

export type By = 'day' | 'account' | 'model';

export interface UsageRow {
  name: string;
  requests: number;
  read: number;
  written: number;
  cost: string;
}

interface Sums {
  requests: number;
  read: number;
  written: number;
  dollars: number;
  unpriced: boolean;
}

function read(usage: Tokens): number {
  return usage.input + usage.cache_read + usage.cache_write + usage.cache_write_hour;
}

function add(sums: Sums | undefined, { sum }: UsageDay): Sums {
  const before = sums ?? { requests: 0, read: 0, written: 0, dollars: 0, unpriced: false };
  return {
    requests: before.requests + sum.requests,
    read: before.read + read(sum.usage),
    written: before.written + sum.usage.output,
    dollars: before.dollars + (sum.dollars ?? 0),
    unpriced: before.unpriced || sum.dollars === null,
  };
}

function row(name: string, { requests, read, written, dollars: spent, unpriced }: Sums): UsageRow {
  const cost = !unpriced ? dollars(spent) : spent > 0 ? `${dollars(spent)} and more` : 'not known';
  return { name, requests, read, written, cost };
}

/** A row each, the newest day or the dearest first, and one for all. */
export function rowsOf(days: readonly UsageDay[], by: By): { rows: UsageRow[]; all: UsageRow | undefined } {
  const groups = new Map<string, Sums>();
  let all: Sums | undefined;
  for (const day of days) {
    groups.set(day[by], add(groups.get(day[by]), day));
    all = add(all, day);
  }
  const sorted = [...groups].sort(([a, one], [b, other]) => (by === 'day' ? b.localeCompare(a) : other.dollars - one.dollars || a.localeCompare(b)));
  return { rows: sorted.map(([name, sums]) => row(name, sums)), all: all && row('All', all) };
}

export interface PlanWindow {
  label: string;
  percent: number;
  again: string;
}

/** The windows that the service told, those that began anew since left out. */
export function windowsOf({ limits }: AccountPlan, now: number): PlanWindow[] {
  const windows: [string, Window | null][] = [
    ['Five hours', limits.five_hour],
    ['Week', limits.weekly],
  ];
  return windows.flatMap(([label, window]) => {
    if (window?.used == null || (window.resets_at_ms !== null && window.resets_at_ms <= now)) return [];
    const again = window.resets_at_ms === null ? 'the service does not say when it begins anew' : `begins anew ${new Date(window.resets_at_ms).toLocaleString(undefined, { weekday: 'short', hour: '2-digit', minute: '2-digit' })}`;
    return [{ label, percent: Math.round(window.used * 100), again }];
  });
}

/** What an account is called. */
export function accountName(name: string): string {
  return { anthropic_oauth_token: 'Claude subscription', anthropic_api_key: 'Anthropic API key', openai_api_key: 'OpenAI API key' }[name] ?? name;
}
