// A diff of 20,000 lines is drawn in pieces, and only the pieces near the screen exist.

import type { FilePatch, Hunk } from './patch.ts';

/** A file with more changed and surrounding lines than this is closed until a person opens it. */
export const LONG = 400;
const PIECE = 120;

/** A piece of one hunk. */
export interface Piece {
  key: string;
  /** Whether it begins its hunk, and so shows where that is. */
  first: boolean;
  hunk: Hunk;
  from: number;
  to: number;
}

export function lineCount(file: FilePatch): number {
  return file.hunks.reduce((sum, hunk) => sum + hunk.lines.length, 0);
}

export function pieces(file: FilePatch): Piece[] {
  return file.hunks.flatMap((hunk, index) => {
    const cut: Piece[] = [];
    for (let from = 0; from < hunk.lines.length || from === 0;) {
      const to = cutAfter(hunk, from);
      cut.push({ key: `${index}:${from}`, first: from === 0, hunk, from, to });
      from = to;
    }
    return cut;
  });
}

/** A run of changes is not torn where that can be helped: its two halves belong side by side. */
function cutAfter(hunk: Hunk, from: number): number {
  const length = hunk.lines.length;
  let to = Math.min(length, from + PIECE);
  while (to < length && to < from + 2 * PIECE && hunk.lines[to]?.kind !== 'same') to += 1;
  return Math.max(to, from + 1);
}

/** Generated and locked files are closed at first: nobody reads them line by line. */
export function closedAtFirst(file: FilePatch): string | undefined {
  const name = file.path.split('/').at(-1) ?? file.path;
  if (/^(package-lock\.json|yarn\.lock|pnpm-lock\.yaml|Cargo\.lock|poetry\.lock|go\.sum|uv\.lock|composer\.lock|Gemfile\.lock)$/.test(name))
    return 'A lock file';
  if (/\.min\.(js|css)$|\.map$/.test(name)) return 'A generated file';
  if (lineCount(file) > LONG) return 'A long change';
  return undefined;
}
