import { describe, expect, it } from 'vitest';
import { closedAtFirst, LONG, pieces } from './chunks.ts';
import { type Comment, message, readDrafts } from './comments.ts';
import { colours, load } from './highlight.ts';
import { changedPart, pairs } from './pairs.ts';
import { byLine, paint } from './paint.ts';
import { type Line, readPatch, unquote } from './patch.ts';

const patch = `diff --git a/src/a.ts b/src/a.ts
index 1..2 100644
--- a/src/a.ts
+++ b/src/a.ts
@@ -1,4 +1,4 @@ function a() {
 one
--- two
+++ two
 three
-four
\\ No newline at end of file
+four
diff --git a/old name.txt b/new name.txt
similarity index 100%
rename from old name.txt
rename to new name.txt
diff --git a/pic.png b/pic.png
new file mode 100644
index 0..1
Binary files /dev/null and b/pic.png differ
diff --git a/gone.txt b/gone.txt
deleted file mode 100644
--- a/gone.txt
+++ /dev/null
@@ -1 +0,0 @@
-bye
diff --git "a/\\303\\244.txt" "b/\\303\\244.txt"
new file mode 100644
--- /dev/null
+++ "b/\\303\\244.txt"
@@ -0,0 +1 @@
+hi\r
diff --git a/run.sh b/run.sh
old mode 100644
new mode 100755
`;

describe('a patch', () => {
  const files = readPatch(patch);

  it('has each file once, under its own name', () => {
    expect(files.map(({ path, change, binary }) => [path, change, binary])).toEqual([
      ['src/a.ts', 'modified', false],
      ['new name.txt', 'renamed', false],
      ['pic.png', 'added', true],
      ['gone.txt', 'deleted', false],
      ['ä.txt', 'added', false],
      ['run.sh', 'modified', false],
    ]);
    expect(files[1]?.from).toBe('old name.txt');
    expect(files[5]?.mode).toBe('100644 → 100755');
  });

  it('takes lines by the counts of the hunk, whatever they look like', () => {
    expect(files[0]?.hunks[0]?.lines.map(({ kind, text, before, now }) => [kind, text, before, now])).toEqual([
      ['same', 'one', 1, 1],
      ['removed', '-- two', 2, undefined],
      ['added', '++ two', undefined, 2],
      ['same', 'three', 3, 3],
      ['removed', 'four', 4, undefined],
      ['added', 'four', undefined, 4],
    ]);
    expect(files[0]?.hunks[0]?.lines[4]?.unended).toBe(true);
    expect(files[4]?.hunks[0]?.lines[0]?.text).toBe('hi');
  });

  it('that was cut off keeps what is there', () => {
    const cut = patch.slice(0, patch.indexOf(' three'));
    expect(readPatch(cut)[0]?.hunks[0]?.lines.length).toBe(3);
    expect(readPatch('')).toEqual([]);
  });

  it('of 20,000 lines in 500 files is read whole', () => {
    const body = Array.from({ length: 40 }, (_, at) => (at % 4 === 0 ? `-old ${at}\n+new ${at}` : ` line ${at}`)).join('\n');
    const many = Array.from(
      { length: 500 },
      (_, at) => `diff --git a/f${at} b/f${at}\n--- a/f${at}\n+++ b/f${at}\n@@ -1,40 +1,40 @@\n${body}`,
    ).join('\n');
    const began = performance.now();
    const read = readPatch(many);
    expect(read.length).toBe(500);
    expect(read[499]?.hunks[0]?.lines.length).toBe(50);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('unquotes paths as git quotes them', () => {
    expect(unquote('"a\\tb\\"c\\\\d\\360\\237\\231\\202"')).toBe('a\tb"c\\d🙂');
    expect(unquote('plain')).toBe('plain');
  });
});

describe('side by side', () => {
  const line = (kind: Line['kind'], text: string): Line => ({ kind, text, before: 1, now: 1, unended: false });

  it('stands removed lines beside added ones', () => {
    const rows = pairs([line('removed', 'a'), line('removed', 'b'), line('added', 'A'), line('same', 's'), line('added', 'n')]);
    expect(rows.map(({ before, now }) => [before?.text, now?.text])).toEqual([
      ['a', 'A'],
      ['b', undefined],
      ['s', 's'],
      [undefined, 'n'],
    ]);
  });

  it('marks the part that differs, unless nearly all of it does', () => {
    expect(changedPart('const a = 1;', 'const a = 22;')).toEqual([10, 11]);
    expect(changedPart('const a = 22;', 'const a = 1;')).toEqual([10, 12]);
    expect(changedPart('abc', 'xyz')).toBeUndefined();
    expect(changedPart('a', 'ab')).toBeUndefined();
  });
});

describe('pieces', () => {
  it('hold every line once and tear no run of changes that fits', () => {
    const lines = Array.from({ length: 1000 }, (_, at) => (at % 7 === 0 ? '-x\n+y' : ' z')).join('\n');
    const file = readPatch(`diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1,1000 +1,1000 @@\n${lines}`)[0];
    if (file === undefined) throw new Error('no file');
    const cut = pieces(file);
    expect(cut.reduce((sum, { from, to }) => sum + to - from, 0)).toBe(file.hunks[0]?.lines.length);
    for (const { hunk, to } of cut.slice(0, -1)) expect(hunk.lines[to]?.kind).toBe('same');
    expect(new Set(cut.map(({ key }) => key)).size).toBe(cut.length);
    expect(file.hunks[0]?.lines.length).toBeGreaterThan(LONG);
    expect(closedAtFirst(file)).toBe('A long change');
  });
});

describe('comments', () => {
  const comment = (at: Partial<Comment>): Comment => ({
    id: '1',
    path: 'a.ts',
    side: 'now',
    line: 3,
    quote: '  let x;',
    body: 'Why?',
    ...at,
  });

  it('are one message, in the order of the files', () => {
    expect(message([comment({ path: 'b.ts' }), comment({ side: 'before', body: ' Keep this.\n' }), comment({ body: '  ' })])).toBe(
      'I have 2 comments on your changes:\n\na.ts:3 (removed)\n>   let x;\nKeep this.\n\nb.ts:3\n>   let x;\nWhy?',
    );
    expect(message([comment({ quote: ' ' })])).toBe('I have a comment on your changes:\n\na.ts:3\nWhy?');
  });

  it('that say nothing are not sent', () => {
    expect(message([comment({ body: '' })])).toBeUndefined();
  });

  it('come back from what was remembered, and nothing else does', () => {
    expect(readDrafts([comment({}), { id: 1 }, null, 'x'])).toEqual([comment({})]);
    expect(readDrafts({})).toEqual([]);
  });
});

describe('paint', () => {
  it('cuts a line at its tokens and at its changed part', () => {
    const tokens = [
      { from: 0, to: 5, style: 'keyword' },
      { from: 10, to: 11, style: 'number' },
    ];
    expect(paint('const a = 1;', tokens, [3, 7]).map(({ text, style, changed }) => [text, style, changed])).toEqual([
      ['con', 'keyword', false],
      ['st', 'keyword', true],
      [' a', '', true],
      [' = ', '', false],
      ['1', 'number', false],
      [';', '', false],
    ]);
    expect(paint('', [], undefined)).toEqual([]);
  });

  it('gives a token of several lines to each of them', () => {
    expect(byLine(['a /*', 'b', '*/ c'], [{ from: 2, to: 9, style: 'comment' }])).toEqual([
      [{ from: 2, to: 4, style: 'comment' }],
      [{ from: 0, to: 1, style: 'comment' }],
      [{ from: 0, to: 2, style: 'comment' }],
    ]);
  });

  it('colours a hunk by its language, each side for itself', async () => {
    const language = await load('a.ts');
    const hunk = readPatch('diff --git a/a.ts b/a.ts\n--- a/a.ts\n+++ b/a.ts\n@@ -1,2 +1,2 @@\n-const a = 1;\n+const b = "x";\n same();\n')[0]?.hunks[0];
    if (language === undefined || hunk === undefined) throw new Error('nothing to colour');
    const found = colours(language, hunk);
    expect(hunk.lines.map((line) => found.get(line)?.map(({ style }) => style).includes('tok-keyword'))).toEqual([true, true, false]);
    expect(await load('plain.txt')).toBeUndefined();
  });
});
