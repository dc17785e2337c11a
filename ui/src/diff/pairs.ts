// Side by side: which removed line stands beside which added one, and which part of the two differs.

import type { Line } from './patch.ts';

export interface Pair {
  before: Line | undefined;
  now: Line | undefined;
}

/** A run of removed lines followed by a run of added ones stands side by side; the rest of the longer run stands alone. */
export function pairs(lines: readonly Line[]): Pair[] {
  const out: Pair[] = [];
  for (let at = 0; at < lines.length;) {
    const line = lines[at];
    if (line === undefined) break;
    if (line.kind === 'same') {
      out.push({ before: line, now: line });
      at += 1;
      continue;
    }
    const removed = run(lines, at, 'removed');
    const added = run(lines, at + removed.length, 'added');
    for (let row = 0; row < Math.max(removed.length, added.length); row += 1) out.push({ before: removed[row], now: added[row] });
    at += removed.length + added.length;
  }
  return out;
}

function run(lines: readonly Line[], from: number, kind: Line['kind']): Line[] {
  let to = from;
  while (lines[to]?.kind === kind) to += 1;
  return lines.slice(from, to);
}

/** The part of a changed line that differs from its counterpart, as [from, to); undefined where that is nearly all of it. */
export function changedPart(text: string, other: string): [number, number] | undefined {
  const most = Math.min(text.length, other.length);
  let head = 0;
  while (head < most && text[head] === other[head]) head += 1;
  let tail = 0;
  while (tail < most - head && text[text.length - 1 - tail] === other[other.length - 1 - tail]) tail += 1;
  const same = head + tail;
  if (same === 0 || same < Math.max(text.length, other.length) * 0.3) return undefined;
  const to = text.length - tail;
  return head < to ? [head, to] : undefined;
}
