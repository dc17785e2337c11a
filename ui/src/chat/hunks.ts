// An edit's hunks as the diff view's lines.

import type { Hunk } from '../api/types.ts';
import type { Hunk as Patch, Line } from '../diff/patch.ts';

export function readHunk({ old_start, new_start, lines }: Hunk): Patch {
  let [before, now] = [old_start, new_start];
  // Where it is not known yet which lines these are, none has a number.
  const numbered = old_start > 0 || new_start > 0;
  const number = (value: number): number | undefined => (numbered ? value : undefined);
  const out = lines.flatMap((line): Line[] => {
    const text = line.slice(1);
    switch (line[0]) {
      case '+':
        return [{ kind: 'added', text, before: undefined, now: number(now++), unended: false }];
      case '-':
        return [{ kind: 'removed', text, before: number(before++), now: undefined, unended: false }];
      case ' ':
        return [{ kind: 'same', text, before: number(before++), now: number(now++), unended: false }];
      default:
        return [];
    }
  });
  return { place: '', before: old_start, now: new_start, lines: out };
}

export function changes(hunks: readonly Hunk[]): { added: number; removed: number } {
  const lines = hunks.flatMap((hunk) => hunk.lines);
  return { added: lines.filter((line) => line.startsWith('+')).length, removed: lines.filter((line) => line.startsWith('-')).length };
}
