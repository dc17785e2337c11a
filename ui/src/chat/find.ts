// Finds words in the rows of a conversation.

import type { Item } from '../api/types.ts';
import type { Row } from './rows.ts';

/** The keys of the rows that hold a text, in their order; case does not matter. */
export function found(rows: readonly Row[], text: string): string[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return [];
  const holds = (item: Item) => wordsOf(item).toLowerCase().includes(wanted);
  return rows.filter((row) => (row.kind === 'item' ? holds(row.item) : row.tools.some(holds))).map(({ key }) => key);
}

/** All that an item says, as far as a person can see it when it is open. */
export function wordsOf(item: Item): string {
  switch (item.kind) {
    case 'prompt':
    case 'text':
    case 'thinking':
    case 'plan':
    case 'notice':
    case 'raw':
      return item.text;
    case 'tool':
      return [item.title, item.tool, typeof item.input === 'string' ? item.input : JSON.stringify(item.input), item.outcome?.text ?? ''].join('\n');
    case 'todos':
      return item.entries.map(({ text }) => text).join('\n');
    case 'question':
      return [...item.questions.map(({ question, options }) => [question, ...options.map(({ label }) => label)].join('\n')), ...item.answers.map(({ answer }) => answer)].join('\n');
    case 'approval':
      return `${item.tool}\n${JSON.stringify(item.input)}`;
    case 'agent':
      return [item.title, item.prompt, item.result ?? ''].join('\n');
    case 'compaction':
      return item.summary ?? '';
    case 'error':
      return item.message;
  }
}
