// The tree of a workspace as far as it was opened. Values in, values out; loading is somebody else's.

import type { FolderEntry, FileMark, Mark } from '../api/types.ts';

/** One folder's content, as far as it is known. */
export type Folder =
  | { kind: 'loading'; entries: readonly FolderEntry[] }
  | { kind: 'loaded'; entries: readonly FolderEntry[]; truncated: boolean }
  | { kind: 'failed'; entries: readonly FolderEntry[]; reason: string };

export interface Tree {
  /** By path; the workspace itself is the empty path. */
  folders: ReadonlyMap<string, Folder>;
  open: ReadonlySet<string>;
}

export type Row =
  | {
      kind: 'entry';
      path: string;
      name: string;
      depth: number;
      entry: FolderEntry;
      open: boolean;
      mark: Mark | undefined;
      marksInside: boolean;
    }
  | { kind: 'gone'; path: string; name: string; depth: number }
  | { kind: 'note'; path: string; depth: number; text: string; failed: boolean };

export const EMPTY: Tree = { folders: new Map(), open: new Set(['']) };

export function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

export function parent(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** All folders above a path, the workspace first. */
export function above(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return ['', ...parts.map((_, at) => parts.slice(0, at + 1).join('/'))];
}

/** Puts a folder's content in. Folders in it that are gone are forgotten with all below them; the others stay open. */
export function withFolder(tree: Tree, path: string, folder: Folder): Tree {
  const folders = new Map(tree.folders);
  folders.set(path, folder);
  if (folder.kind !== 'loaded') return { ...tree, folders };
  const there = new Set(folder.entries.filter(({ kind }) => kind === 'folder').map(({ name }) => join(path, name)));
  const prefix = path === '' ? '' : `${path}/`;
  const gone = (below: string): boolean => {
    if (below === path || !below.startsWith(prefix)) return false;
    const child = join(path, below.slice(prefix.length).split('/')[0] ?? '');
    return !there.has(child);
  };
  for (const below of folders.keys()) if (gone(below)) folders.delete(below);
  return { folders, open: new Set([...tree.open].filter((below) => !gone(below))) };
}

export function toggled(tree: Tree, path: string, open = !tree.open.has(path)): Tree {
  const next = new Set(tree.open);
  if (open) next.add(path);
  else next.delete(path);
  return { ...tree, open: next };
}

/** Which folders have to be asked for again; `changed` empty means all that are known. */
export function stale(tree: Tree, changed: readonly string[]): string[] {
  const known = [...tree.folders.keys()];
  return changed.length === 0 ? known : known.filter((path) => changed.includes(path));
}

/** What is shown, from top to bottom. A deleted file stands where it was. */
export function rows(tree: Tree, marks: readonly FileMark[]): Row[] {
  const byPath = new Map(marks.map(({ path, mark }) => [path, mark]));
  const inside = new Set(marks.flatMap(({ path }) => above(path)));
  const goneIn = new Map<string, string[]>();
  for (const { path, mark } of marks) {
    if (mark !== 'deleted') continue;
    const folder = parent(path);
    goneIn.set(folder, [...(goneIn.get(folder) ?? []), path]);
  }
  const out: Row[] = [];
  const walk = (path: string, depth: number): void => {
    const folder = tree.folders.get(path);
    if (folder === undefined) return;
    for (const entry of folder.entries) {
      const at = join(path, entry.name);
      const open = entry.kind === 'folder' && tree.open.has(at);
      out.push({ kind: 'entry', path: at, name: entry.name, depth, entry, open, mark: byPath.get(at), marksInside: inside.has(at) });
      if (open) walk(at, depth + 1);
    }
    const names = new Set(folder.entries.map(({ name }) => name));
    for (const at of goneIn.get(path) ?? []) {
      const name = at.slice(path === '' ? 0 : path.length + 1);
      if (!names.has(name)) out.push({ kind: 'gone', path: at, name, depth });
    }
    const note = noteOf(folder, depth);
    if (note !== undefined) out.push({ kind: 'note', path: `${path}/…`, depth, ...note });
  };
  walk('', 0);
  return out;
}

function noteOf(folder: Folder, depth: number): { text: string; failed: boolean } | undefined {
  switch (folder.kind) {
    case 'loading':
      return folder.entries.length === 0 ? { text: 'Loading…', failed: false } : undefined;
    case 'failed':
      return { text: folder.reason, failed: true };
    case 'loaded':
      if (folder.truncated) return { text: 'There is more than is shown.', failed: false };
      return folder.entries.length === 0 && depth > 0 ? { text: 'Empty', failed: false } : undefined;
  }
}

/** Files whose path has the letters of `wanted` in order, best first: in the name, together, at the start. */
export function find(paths: Iterable<string>, wanted: string, most = 200): string[] {
  const letters = wanted.toLowerCase().replace(/\s+/g, '');
  if (letters === '') return [];
  const found: { path: string; score: number }[] = [];
  for (const path of paths) {
    const score = match(path.toLowerCase(), letters);
    if (score !== undefined) found.push({ path, score });
  }
  found.sort((one, other) => other.score - one.score || one.path.length - other.path.length || (one.path < other.path ? -1 : 1));
  return found.slice(0, most).map(({ path }) => path);
}

function match(path: string, letters: string): number | undefined {
  const nameAt = path.lastIndexOf('/') + 1;
  const together = path.indexOf(letters, nameAt);
  if (together >= 0) return 1000 - (together - nameAt) + (together === nameAt ? 500 : 0);
  if (path.includes(letters)) return 500;
  let at = -1;
  let jumps = 0;
  for (const letter of letters) {
    const next = path.indexOf(letter, at + 1);
    if (next < 0) return undefined;
    if (next !== at + 1) jumps += 1;
    at = next;
  }
  return 100 - jumps;
}

/** Every file that is known, whether its folder is open or not. */
export function* knownFiles(tree: Tree): Generator<string> {
  for (const [path, folder] of tree.folders) {
    for (const entry of folder.entries) if (entry.kind !== 'folder') yield join(path, entry.name);
  }
}

/** Folders that nobody searches in: they are made, not written. */
export function searched(name: string): boolean {
  return !['.git', 'node_modules', 'target', 'dist', '.venv', '__pycache__', '.next', '.cache'].includes(name);
}
