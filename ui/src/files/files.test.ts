import { describe, expect, it } from 'vitest';
import type { FolderEntry } from '../api/types.ts';
import { above, EMPTY, find, rows, stale, toggled, type Tree, withFolder } from './tree.ts';
import { windowOf } from './window.ts';
import { ago, duration, size } from './words.ts';

function entry(name: string): FolderEntry {
  return { name: name.replace('/', ''), kind: name.endsWith('/') ? 'folder' : 'file', bytes: 1, modified_ms: 0 };
}

function loaded(tree: Tree, path: string, ...names: string[]): Tree {
  return withFolder(tree, path, { kind: 'loaded', entries: names.map(entry), truncated: false });
}

const shown = (tree: Tree, marks: Parameters<typeof rows>[1] = []) =>
  rows(tree, marks).map((row) => `${' '.repeat(row.depth)}${row.kind}:${row.path}`);

describe('the tree', () => {
  const base = loaded(loaded(EMPTY, '', 'src/', 'a.ts'), 'src', 'deep/', 'b.ts');

  it('shows what is open, and nothing below what is closed', () => {
    expect(shown(base)).toEqual(['entry:src', 'entry:a.ts']);
    expect(shown(toggled(base, 'src'))).toEqual(['entry:src', ' entry:src/deep', ' entry:src/b.ts', 'entry:a.ts']);
  });

  it('keeps folders open when their parent is read again, and forgets those that are gone', () => {
    const open = toggled(loaded(toggled(base, 'src'), 'src/deep', 'c.ts'), 'src/deep');
    expect(shown(loaded(open, '', 'src/', 'new.ts'))).toContain('  entry:src/deep/c.ts');
    const without = loaded(open, 'src', 'b.ts');
    expect(without.folders.has('src/deep')).toBe(false);
    expect(without.open.has('src/deep')).toBe(false);
    expect(without.open.has('src')).toBe(true);
    const sibling = loaded(loaded(toggled(loaded(EMPTY, '', 'a/', 'ab/'), 'ab'), 'ab', 'x'), 'a', 'y');
    expect(sibling.folders.has('ab')).toBe(true);
  });

  it('marks files, the folders around them, and shows what was deleted where it was', () => {
    const found = rows(toggled(base, 'src'), [
      { path: 'src/b.ts', mark: 'modified' },
      { path: 'src/old.ts', mark: 'deleted' },
    ]);
    const row = (path: string) => found.find((one) => one.path === path);
    expect(row('src')).toMatchObject({ marksInside: true, mark: undefined });
    expect(row('src/b.ts')).toMatchObject({ mark: 'modified' });
    expect(row('src/old.ts')).toMatchObject({ kind: 'gone', name: 'old.ts', depth: 1 });
  });

  it('says that a folder is empty, loads or failed', () => {
    expect(shown(toggled(loaded(base, 'src/deep'), 'src'))).toHaveLength(4);
    const note = (tree: Tree) => rows(tree, []).find(({ kind }) => kind === 'note');
    expect(note(toggled(loaded(base, 'src'), 'src'))).toMatchObject({ text: 'Empty' });
    expect(note(withFolder(EMPTY, '', { kind: 'failed', entries: [], reason: 'No.' }))).toMatchObject({ text: 'No.', failed: true });
    expect(note(withFolder(EMPTY, '', { kind: 'loading', entries: [] }))).toMatchObject({ text: 'Loading…' });
  });

  it('asks again only for folders that it knows', () => {
    expect(stale(base, ['src', 'other'])).toEqual(['src']);
    expect(stale(base, [])).toEqual(['', 'src']);
  });

  it('finds names before paths before scattered letters', () => {
    expect(find(['src/tree.ts', 'tree/x.ts', 'the/rest/e.md', 'no.md'], 'tree')).toEqual(['src/tree.ts', 'tree/x.ts', 'the/rest/e.md']);
    expect(find(['a'], ' ')).toEqual([]);
  });

  it('names all folders above', () => {
    expect(above('a/b/c.ts')).toEqual(['', 'a', 'a/b']);
  });
});

describe('a long list', () => {
  it('has only the rows in sight and some around them', () => {
    expect(windowOf(10_000, 24, 2400, 240, 5)).toEqual({ from: 95, to: 115 });
    expect(windowOf(3, 24, 0, 240)).toEqual({ from: 0, to: 3 });
    expect(windowOf(3, 24, 9999, 240)).toEqual({ from: 3, to: 3 });
  });
});

describe('words', () => {
  it('are short', () => {
    expect([size(12), size(2048), size(5_500_000), size(70_828_448)]).toEqual(['12 B', '2.0 KB', '5.2 MB', '68 MB']);
    expect([ago(0, 5000), ago(0, 120_000), ago(0, 7_200_000), ago(0, 200_000_000)]).toEqual([
      'just now',
      '2 min ago',
      '2 h ago',
      '2 d ago',
    ]);
    expect([duration(1500), duration(61_000), duration(3_660_000)]).toEqual(['1.5 s', '1 min 1 s', '1 h 1 min']);
  });
});
