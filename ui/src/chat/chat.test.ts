import { describe, expect, test } from 'vitest';
import { session } from '../testing/session.ts';
import { agent, prompt, standing, text, tool, view } from '../testing/items.ts';
import { pieces } from './ansi.ts';
import { history, refusal, step } from './compose.ts';
import { cut } from './cut.ts';
import { Heights, rowAt } from './heights.ts';
import { readHunk } from './hunks.ts';
import { type Row, rowsOf, seenOutside } from './rows.ts';
import { after, type Shown, withEarlier } from './shown.ts';
import { count, dollars, limitWords, sumWords, toolTitle } from './words.ts';

const ids = (shown: Shown | undefined) => shown?.items.map(({ id }) => id);
const whole = (...items: ReturnType<typeof text>[]) => after(undefined, { type: 'state', ...view(items) });
const news = (shown: Shown | undefined, change: { items?: ReturnType<typeof text>[]; removed?: string[]; number?: number }) =>
  after(shown, { type: 'news', number: change.number ?? 2, items: change.items ?? [], removed: change.removed ?? [], standing, turns: [], messages: null });

describe('the merge', () => {
  test('shows items by order, then by id', () => {
    expect(ids(whole(text({ id: 'c', order: 2 }), text({ id: 'b', order: 1 }), text({ id: 'a', order: 2 })))).toEqual(['b', 'a', 'c']);
  });

  test('replaces what it knows, puts what is new into its place and takes the removed away', () => {
    const shown = news(whole(text({ id: 'a', order: 1 }), text({ id: 'b', order: 2 }), text({ id: 'd', order: 4 })), {
      items: [text({ id: 'c', order: 3 }), text({ id: 'b', order: 2 }, 'changed')],
      removed: ['d'],
    });
    expect(ids(shown)).toEqual(['a', 'b', 'c']);
    expect(shown?.items[1]).toMatchObject({ text: 'changed' });
  });

  test('moves an item whose order changed', () => {
    expect(ids(news(whole(text({ id: 'a', order: 1 }), text({ id: 'b', order: 2 })), { items: [text({ id: 'a', order: 3 })] }))).toEqual(['b', 'a']);
  });

  test('keeps an unchanged item as the same value', () => {
    const one = whole(text({ id: 'a', order: 1 }), text({ id: 'b', order: 2 }));
    expect(news(one, { items: [text({ id: 'b', order: 2 }, 'more')] })?.items[0]).toBe(one?.items[0]);
  });

  test('ignores news that are older than what is shown, and news before all else', () => {
    const one = after(undefined, { type: 'state', ...view([text({ id: 'a' })], { number: 9 }) });
    expect(news(one, { items: [text({ id: 'b' })], number: 3 })).toBe(one);
    expect(news(undefined, { items: [text({ id: 'b' })] })).toBeUndefined();
  });

  test('a whole state forgets everything that was shown', () => {
    const one = whole(text({ id: 'a' }));
    expect(ids(after(one, { type: 'state', ...view([text({ id: 'z' })]) }))).toEqual(['z']);
  });
});

describe('paging', () => {
  const start = after(undefined, { type: 'state', ...view([text({ id: 'c', order: 3 }), text({ id: 'd', order: 4 })], { earlier: true }) });

  test('puts a page before what is shown, and keeps what is newer than the page', () => {
    if (start === undefined) throw new Error('nothing is shown');
    const shown = withEarlier(start, view([text({ id: 'a', order: 1 }), text({ id: 'c', order: 3 }, 'old'), text({ id: 'b', order: 2 })]), new Set());
    expect(ids(shown)).toEqual(['a', 'b', 'c', 'd']);
    expect(shown.items[2]).toBe(start.items[0]);
    expect(shown.earlier).toBe(false);
  });

  test('leaves out what went while the page was on its way', () => {
    if (start === undefined) throw new Error('nothing is shown');
    expect(ids(withEarlier(start, view([text({ id: 'a', order: 1 }), text({ id: 'b', order: 2 })]), new Set(['b'])))).toEqual(['a', 'c', 'd']);
  });

  test('news of what stands before the first item wait for its page', () => {
    expect(ids(news(start, { items: [text({ id: 'a', order: 1 }), text({ id: 'e', order: 5 })] }))).toEqual(['c', 'd', 'e']);
  });
});

describe('rows', () => {
  const shape = (rows: readonly Row[]) => rows.map((row) => `${'  '.repeat(row.depth)}${row.kind === 'group' ? `group of ${row.tools.length}` : row.item.id}`);
  const reads = (count: number, from = 0) => Array.from({ length: count }, (_, at) => tool({ id: `t${from + at}`, order: from + at }));

  test('a run of finished tools stands under one line, and opens', () => {
    const items = [text({ id: 'a', order: -1 }), ...reads(4)];
    expect(shape(rowsOf(items, new Map()))).toEqual(['a', 'group of 4']);
    expect(shape(rowsOf(items, new Map([['group:t0', true]])))).toEqual(['a', 'group of 4', '  t0', '  t1', '  t2', '  t3']);
  });

  test('few tools, running ones, failed ones and edits stand for themselves', () => {
    expect(shape(rowsOf(reads(3), new Map()))).toEqual(['t0', 't1', 't2']);
    const edit = tool({ id: 'e', order: 2 }, { does: 'edit', path: 'a', hunks: [] });
    expect(shape(rowsOf([...reads(2), edit, tool({ id: 'f', order: 3, state: 'failed' }), tool({ id: 'r', order: 4, state: 'running' })], new Map()))).toEqual(['t0', 't1', 'e', 'f', 'r']);
  });

  test('a sub-agent has its items within it: open at work, closed when it ended', () => {
    const within = [text({ id: 'x', order: 2, parent: 'g' }), agent({ id: 'h', order: 3, parent: 'g', state: 'running' }), text({ id: 'y', order: 4, parent: 'h' })];
    expect(shape(rowsOf([agent({ id: 'g', order: 1, state: 'running' }), ...within, text({ id: 'z', order: 9 })], new Map()))).toEqual(['g', '  x', '  h', '    y', 'z']);
    expect(shape(rowsOf([agent({ id: 'g', order: 1 }), ...within], new Map()))).toEqual(['g']);
  });

  test('what has a parent that is not shown stands in the open, and nothing is lost in a circle', () => {
    expect(shape(rowsOf([text({ id: 'x', parent: 'gone' })], new Map()))).toEqual(['x']);
    expect(shape(rowsOf([text({ id: 'x', parent: 'x' })], new Map()))).toEqual(['x']);
  });

  test('a row that says the same is the same value', () => {
    const [a, b] = [text({ id: 'a', order: 1 }), text({ id: 'b', order: 2 })];
    const before = rowsOf([a, b], new Map());
    const now = rowsOf([a, text({ id: 'b', order: 2 }, 'more')], new Map(), before);
    expect(now[0]).toBe(before[0]);
    expect(now[1]).not.toBe(before[1]);
  });

  test('rows of ten thousand items that did not change are the same rows', () => {
    const items = Array.from({ length: 10_000 }, (_, at) => (at % 3 ? tool({ id: `i${at}`, order: at }) : text({ id: `i${at}`, order: at })));
    const rows = rowsOf(items, new Map());
    const again = rowsOf(items, new Map(), rows);
    expect(again.every((row, at) => row === rows[at])).toBe(true);
  });

  test('only what the proxy or the daemon saw is more than the agent’s word', () => {
    expect(seenOutside(text({ id: 'a', seen: ['tap', 'transcript'] }))).toBe(true);
    expect(seenOutside(text({ id: 'a', seen: ['daemon'] }))).toBe(true);
    expect(seenOutside(text({ id: 'a', seen: ['transcript', 'hook', 'terminal'] }))).toBe(false);
  });
});

test('a place is found by measured heights, and by guesses where there are none', () => {
  const heights = new Heights();
  const rows = ['a', 'b', 'c'].map((key) => ({ key }));
  expect(heights.measure('b', 30)).toBe(true);
  expect(heights.measure('b', 30)).toBe(false);
  const offsets = heights.offsets(rows, () => 10);
  expect([...offsets]).toEqual([0, 10, 40, 50]);
  expect([-5, 0, 9, 10, 39, 40, 999].map((place) => rowAt(offsets, place))).toEqual([0, 0, 0, 1, 1, 2, 2]);
  expect(rowAt(heights.offsets([], () => 10), 5)).toBe(0);
});

test('a long text shows its beginning and how much more there is', () => {
  expect(cut('a\nb', 2)).toEqual({ text: 'a\nb', more: 0 });
  expect(cut('a\nb\n', 2)).toEqual({ text: 'a\nb', more: 0 });
  expect(cut('a\nb\nc\nd\n', 2)).toEqual({ text: 'a\nb', more: 2 });
});

test('a program’s colours are kept, and nothing else that a terminal would obey', () => {
  expect(pieces('a\x1b[1;31mred\x1b[0m b')).toEqual([
    { text: 'a', colour: undefined, bold: false, dim: false },
    { text: 'red', colour: 'red', bold: true, dim: false },
    { text: ' b', colour: undefined, bold: false, dim: false },
  ]);
  expect(pieces('\x1b[92mok\x1b[39m').map(({ colour }) => colour)).toEqual(['bright-green']);
  expect(pieces('\x1b]0;title\x07x\x1b[2J\x1b[Hy\x00').map((piece) => piece.text).join('')).toBe('xy');
  expect(pieces('10%\r50%\rdone\r\nnext').map((piece) => piece.text).join('')).toBe('done\nnext');
});

test('an edit’s lines have their numbers where they are known', () => {
  const lines = readHunk({ old_start: 4, new_start: 5, lines: [' same', '-old', '+new', 'odd'] }).lines;
  expect(lines.map(({ kind, before, now }) => [kind, before, now])).toEqual([['same', 4, 5], ['removed', 5, undefined], ['added', undefined, 6]]);
  expect(readHunk({ old_start: 0, new_start: 0, lines: ['+new'] }).lines[0]?.now).toBeUndefined();
});

describe('the composer', () => {
  test('says why it takes nothing', () => {
    expect(refusal(session())).toBeUndefined();
    expect(refusal(session({ state: 'stopped' }))).toBe('The session does not run.');
    expect(refusal(session({ mode: 'print' }))).toMatch(/one prompt/);
    expect(refusal(session({ state: 'failed', reason: 'The image is gone.' }))).toBe('The image is gone.');
  });

  test('the arrows bring back what the person sent, the latest first and each once', () => {
    const texts = history([prompt({ id: 'a' }), prompt({ id: 'b' }), prompt({ id: 'a2' }, 'a'), { ...prompt({ id: 'c' }), origin: 'agent' }]);
    expect(texts).toEqual(['b', 'a']);
    expect([step(2, 2, 'ArrowUp'), step(2, 0, 'ArrowUp'), step(2, 1, 'ArrowDown'), step(2, 2, 'ArrowDown')]).toEqual([1, 0, 2, 2]);
  });
});

test('numbers are short, and a cost that is not known is not shown', () => {
  expect([0, 950, 1000, 12_400, 999_900, 3_140_000].map(count)).toEqual(['0', '950', '1k', '12.4k', '1M', '3.1M']);
  expect([0, 0.004, 0.5, 123.4].map(dollars)).toEqual(['$0.00', '< $0.01', '$0.50', '$123']);
  expect(sumWords({ ...standing.used, dollars: null })).toBe('0 tokens');
  expect(sumWords({ ...standing.used, dollars: 0.5 })).toBe('0 tokens · $0.50');
  expect(limitWords({ ...standing.limits, weekly: { used: 0.83, resets_at_ms: null, status: null } }, 0)).toMatchObject([{ label: 'Week', percent: 83, tone: 'orange' }]);
});

test('a tool’s title says what it does, and afterwards what it did', () => {
  expect(toolTitle('Running ls', 'running')).toBe('Running ls');
  expect(toolTitle('Running ls', 'interrupted')).toBe('Running ls');
  expect(toolTitle('Running ls', 'failed')).toBe('Ran ls');
  expect(toolTitle('Looking for Running', 'done')).toBe('Looked for Running');
  expect(toolTitle('Something else', 'done')).toBe('Something else');
});
