// The colours of a piece of code in a message.

import { classHighlighter, highlightTree } from '@lezer/highlight';
import { load } from '../diff/highlight.ts';
import { byLine, type Paint, paint, type Token } from '../diff/paint.ts';

/** Longer code stays plain. */
const MOST = 50_000;

/** The word after the fence, where it is not the end of a file's name already. */
const ENDS: Record<string, string> = {
  typescript: 'ts', javascript: 'js', rust: 'rs', python: 'py', python3: 'py', golang: 'go', shell: 'sh', console: 'sh', ruby: 'rb', 'c++': 'cpp', csharp: 'cs', kotlin: 'kt', markdown: 'md',
};

/** The lines of `text` in colours; undefined where its language has none here. */
export async function coloured(text: string, language: string): Promise<Paint[][] | undefined> {
  const word = language.toLowerCase();
  if (word === '' || text.length > MOST) return undefined;
  const found = await load(word === 'dockerfile' ? word : `x.${ENDS[word] ?? word}`);
  if (found === undefined) return undefined;
  const tokens: Token[] = [];
  highlightTree(found.parser.parse(text), classHighlighter, (from, to, style) => tokens.push({ from, to, style }));
  const lines = text.split('\n');
  const each = byLine(lines, tokens);
  return lines.map((line, at) => paint(line, each[at] ?? [], undefined));
}
