// What the Files tab knows: the tree as far as it was opened, git's marks, and the file that is shown.

import type { Client } from '../api/client.ts';
import { shown } from '../api/error.ts';
import type { FileMark, FilesChanged, FileView } from '../api/types.ts';
import { above, EMPTY, find, type Folder, join, knownFiles, rows, searched, stale, toggled, type Tree, withFolder } from './tree.ts';
import { Watch } from './watch.ts';

export type Preview =
  | { kind: 'none' }
  | { kind: 'loading'; path: string }
  | { kind: 'file'; path: string; view: FileView; image: string | undefined }
  | { kind: 'gone'; path: string }
  | { kind: 'failed'; path: string; reason: string; hint: string | null };

/** How many folders a search reads before it says that there are more. */
const SEARCH_MOST = 600;

export class FilesModel {
  tree = $state.raw<Tree>(EMPTY);
  marks = $state.raw<readonly FileMark[]>([]);
  preview = $state.raw<Preview>({ kind: 'none' });
  wanted = $state('');
  searching = $state(false);
  searchedAll = $state(true);
  /** Why the marks are not there, in one sentence. */
  markProblem = $state<string | undefined>(undefined);
  /** What the person should know where not every folder can be watched. */
  watchNote = $state<string | undefined>(undefined);
  /** Whether changes are heard of as they happen. */
  live = $state(false);

  readonly rows = $derived(rows(this.tree, this.marks));
  readonly found = $derived(this.wanted.trim() === '' ? undefined : find(this.#allPaths(), this.wanted));

  #ended = false;
  #watch: Watch | undefined;
  #loading = new Set<string>();

  constructor(
    private readonly client: Client,
    private readonly session: string,
  ) {}

  start(): void {
    void this.load('');
    void this.#loadMarks();
    this.#watch = new Watch(this.client, this.session, { changed: (change) => this.#changed(change), live: (live) => (this.live = live) });
  }

  dispose(): void {
    this.#ended = true;
    this.#watch?.dispose();
    this.#dropImage();
  }

  async toggle(path: string, open?: boolean): Promise<void> {
    this.tree = toggled(this.tree, path, open);
    if (this.tree.open.has(path) && !this.tree.folders.has(path)) await this.load(path);
  }

  /** Opens the folders above a file and shows it. */
  async reveal(path: string): Promise<void> {
    for (const folder of above(path)) await this.toggle(folder, true);
    await this.show(path);
  }

  async load(path: string): Promise<void> {
    if (this.#loading.has(path)) return;
    this.#loading.add(path);
    const before = this.tree.folders.get(path)?.entries ?? [];
    if (before.length === 0) this.#put(path, { kind: 'loading', entries: before });
    try {
      const { entries, truncated } = await this.client.folder(this.session, path);
      this.#put(path, { kind: 'loaded', entries, truncated });
    } catch (thrown) {
      this.#put(path, { kind: 'failed', entries: before, reason: shown(thrown).message });
    } finally {
      this.#loading.delete(path);
    }
  }

  async show(path: string): Promise<void> {
    const mark = this.marks.find((one) => one.path === path)?.mark;
    if (mark === 'deleted') {
      this.#become({ kind: 'gone', path });
      return;
    }
    if (this.preview.kind === 'none' || this.preview.path !== path) this.#become({ kind: 'loading', path });
    try {
      const view = await this.client.file(this.session, path);
      const image = view.content.kind === 'image' ? URL.createObjectURL(await this.client.rawFile(this.session, path)) : undefined;
      if (this.#ended || this.preview.kind === 'none' || this.preview.path !== path) {
        if (image !== undefined) URL.revokeObjectURL(image);
        return;
      }
      this.#become({ kind: 'file', path, view, image });
    } catch (thrown) {
      const error = shown(thrown);
      if (this.preview.kind !== 'none' && this.preview.path === path) {
        this.#become({ kind: 'failed', path, reason: error.message, hint: error.hint });
      }
    }
  }

  /** Gives the file to the browser to keep. */
  async download(path: string): Promise<void> {
    const url = URL.createObjectURL(await this.client.rawFile(this.session, path));
    const link = document.createElement('a');
    link.href = url;
    link.download = path.split('/').at(-1) ?? 'file';
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }

  /** Reads folders that were never opened, so that a search finds what is in them. */
  async search(wanted: string): Promise<void> {
    this.wanted = wanted;
    if (wanted.trim() === '' || this.searching) return;
    this.searching = true;
    try {
      this.searchedAll = await this.#readAll();
    } finally {
      this.searching = false;
    }
  }

  async #readAll(): Promise<boolean> {
    let read = 0;
    for (;;) {
      const unread = this.#unread();
      if (unread.length === 0 || this.#ended || this.wanted.trim() === '') return unread.length === 0;
      if (read >= SEARCH_MOST) return false;
      const some = unread.slice(0, 8);
      read += some.length;
      await Promise.all(some.map((path) => this.load(path)));
    }
  }

  #unread(): string[] {
    const out: string[] = [];
    for (const [path, folder] of this.tree.folders) {
      for (const { kind, name } of folder.entries) {
        const below = join(path, name);
        if (kind === 'folder' && searched(name) && !this.tree.folders.has(below)) out.push(below);
      }
    }
    return out;
  }

  *#allPaths(): Generator<string> {
    yield* knownFiles(this.tree);
    for (const { path, mark } of this.marks) if (mark === 'deleted') yield path;
  }

  async #loadMarks(): Promise<void> {
    try {
      this.marks = (await this.client.status(this.session)).files;
      this.markProblem = undefined;
    } catch (thrown) {
      this.markProblem = shown(thrown).message;
    }
  }

  #changed({ folders, git, note }: FilesChanged): void {
    if (note !== undefined) this.watchNote = note;
    for (const path of stale(this.tree, folders)) void this.load(path);
    if (git || folders.length > 0) void this.#loadMarks();
    const { preview } = this;
    if (preview.kind === 'file' && (folders.length === 0 || folders.includes(above(preview.path).at(-1) ?? ''))) void this.show(preview.path);
  }

  #put(path: string, folder: Folder): void {
    if (!this.#ended) this.tree = withFolder(this.tree, path, folder);
  }

  #become(preview: Preview): void {
    this.#dropImage();
    this.preview = preview;
  }

  #dropImage(): void {
    if (this.preview.kind === 'file' && this.preview.image !== undefined) URL.revokeObjectURL(this.preview.image);
  }
}
