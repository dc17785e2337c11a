// Numbers and states of a conversation in words.

import type { ItemState, Limits, Sum, Tokens, ToolDetail, Window } from '../api/types.ts';
import type { IconName } from '../parts/icons.ts';
import type { Tone } from '../state/standing.ts';

export const toolIcons: Record<ToolDetail['does'], IconName> = {
  command: 'terminal',
  edit: 'edit',
  read: 'file',
  search: 'search',
  web: 'globe',
  other: 'bolt',
};

/** The word for a state that a person has to know of. */
export function stateWord(state: ItemState): string | undefined {
  return { streaming: 'Arriving', running: 'Running', done: undefined, failed: 'Failed', interrupted: 'Interrupted' }[state];
}

const DONE: readonly [string, string][] = [
  ['Running ', 'Ran '],
  ['Writing ', 'Wrote '],
  ['Editing ', 'Edited '],
  ['Reading ', 'Read '],
  ['Looking for ', 'Looked for '],
  ['Using ', 'Used '],
];

/** A tool's title says what it does; once it has come to its end, what it did. */
export function toolTitle(title: string, state: ItemState): string {
  if (state !== 'done' && state !== 'failed') return title;
  const found = DONE.find(([now]) => title.startsWith(now));
  return found === undefined ? title : found[1] + title.slice(found[0].length);
}

export function tokens(usage: Tokens): number {
  return usage.input + usage.output + usage.cache_read + usage.cache_write + usage.cache_write_hour;
}

/** "950", "12.4k", "3.1M". */
export function count(value: number): string {
  if (value < 1000) return String(value);
  const [size, unit] = value < 999_500 ? [value / 1000, 'k'] : [value / 1_000_000, 'M'];
  return `${size >= 100 ? Math.round(size) : size.toFixed(1).replace(/\.0$/, '')}${unit}`;
}

export function dollars(value: number): string {
  if (value > 0 && value < 0.01) return '< $0.01';
  return `$${value.toFixed(value < 100 ? 2 : 0)}`;
}

/** "12.4k tokens · $0.03"; no cost where it is not known. */
export function sumWords(sum: Sum): string {
  const cost = sum.dollars === null ? '' : ` · ${dollars(sum.dollars)}`;
  return `${count(tokens(sum.usage))} tokens${cost}`;
}

export function sumDetail({ usage, requests }: Sum): string {
  const cache = usage.cache_write + usage.cache_write_hour;
  return [
    `${usage.input.toLocaleString()} read`,
    `${usage.output.toLocaleString()} written`,
    `${usage.cache_read.toLocaleString()} from the cache`,
    `${cache.toLocaleString()} into it`,
    `in ${requests} ${requests === 1 ? 'request' : 'requests'}, as the proxy counted them`,
  ].join(', ');
}

/** The plan's windows that are known. */
export function limitWords(limits: Limits, now: number): { label: string; percent: number; title: string; tone: Tone }[] {
  const windows: [string, Window | null][] = [
    ['5 h', limits.five_hour],
    ['Week', limits.weekly],
  ];
  return windows.flatMap(([label, window]) => {
    if (window === null || window.used === null) return [];
    const percent = Math.round(window.used * 100);
    const left = window.resets_at_ms === null ? undefined : Math.max(0, Math.round((window.resets_at_ms - now) / 60_000));
    const again = left === undefined ? '' : `, anew in ${left < 90 ? `${left} min` : left < 2880 ? `${Math.round(left / 60)} h` : `${Math.round(left / 1440)} days`}`;
    const tone: Tone = percent >= 95 ? 'red' : percent >= 80 ? 'orange' : 'grey';
    return [{ label, percent, title: `${percent} % of the plan’s ${label === 'Week' ? 'week' : 'five hours'} is used${again}`, tone }];
  });
}

/** "1.2 s", "340 ms", "2 min". */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1).replace(/\.0$/, '')} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}
