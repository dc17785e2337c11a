// The colours of a diff's lines. A hunk is parsed as it stands, without the file around it: nearly always right, and never
// slow. A long one is left plain.

import { Language, LanguageSupport } from '@codemirror/language';
import { classHighlighter, highlightTree } from '@lezer/highlight';
import { languageOf } from '../files/languages.ts';
import { byLine, type Token } from './paint.ts';
import type { Hunk, Line } from './patch.ts';

const MOST = 200_000;

export type Colours = ReadonlyMap<Line, readonly Token[]>;

/** Loads a file's language; undefined where there is none for it. */
export async function load(path: string): Promise<Language | undefined> {
  const loaded = await languageOf(path)?.();
  return loaded instanceof LanguageSupport ? loaded.language : loaded;
}

export function colours(language: Language, hunk: Hunk): Colours {
  const out = new Map<Line, readonly Token[]>();
  // Both sides are whole texts of their own; a line that is on both takes its colours from the later one.
  for (const side of ['removed', 'added'] as const) {
    const lines = hunk.lines.filter(({ kind }) => kind === 'same' || kind === side);
    const texts = lines.map(({ text }) => text);
    const text = texts.join('\n');
    if (text.length > MOST) continue;
    const tokens: Token[] = [];
    highlightTree(language.parser.parse(text), classHighlighter, (from, to, style) => tokens.push({ from, to, style }));
    for (const [at, found] of byLine(texts, tokens).entries()) {
      const line = lines[at];
      if (line !== undefined) out.set(line, found);
    }
  }
  return out;
}
