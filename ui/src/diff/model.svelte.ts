// What the Diff tab knows: the changes, which files are open, and the comments that are not sent yet.

import type { Client } from '../api/client.ts';
import { type ApiError, shown } from '../api/error.ts';
import type { ChangedFile, DiffView, PullView } from '../api/types.ts';
import { closedAtFirst } from './chunks.ts';
import { type Comment, message } from './comments.ts';
import { type FilePatch, readPatch } from './patch.ts';

export type DiffState = { kind: 'loading' } | { kind: 'failed'; error: ApiError } | { kind: 'loaded'; view: DiffView; files: FileDiff[] };

export interface FileDiff {
  path: string;
  listed: ChangedFile | undefined;
  /** Undefined where the patch was cut before this file. */
  patch: FilePatch | undefined;
  risk: string | undefined;
}

export type PullState =
  | { kind: 'closed' }
  | { kind: 'asking' }
  | { kind: 'pulling' }
  | { kind: 'pulled'; view: PullView }
  | { kind: 'failed'; error: ApiError };

/** Where drafts are kept, so that nothing typed is lost with the tab, the window or the machine. */
export interface Drafts {
  read(): Comment[];
  write(comments: readonly Comment[]): void;
}

export class DiffModel {
  state = $state.raw<DiffState>({ kind: 'loading' });
  refreshing = $state(false);
  comments = $state.raw<readonly Comment[]>([]);
  sending = $state(false);
  sendProblem = $state.raw<ApiError | undefined>(undefined);
  pull = $state.raw<PullState>({ kind: 'closed' });
  #closed = $state.raw<ReadonlyMap<string, boolean>>(new Map());

  constructor(
    private readonly client: Client,
    private readonly session: string,
    private readonly drafts: Drafts,
  ) {
    this.comments = drafts.read();
  }

  get files(): FileDiff[] {
    return this.state.kind === 'loaded' ? this.state.files : [];
  }

  async load(): Promise<void> {
    this.refreshing = true;
    try {
      const view = await this.client.diff(this.session);
      this.state = { kind: 'loaded', view, files: together(view) };
    } catch (thrown) {
      const error = shown(thrown);
      // What is shown stays: an old diff is more use than none.
      if (this.state.kind !== 'loaded') this.state = { kind: 'failed', error };
      else this.sendProblem = error;
    } finally {
      this.refreshing = false;
    }
  }

  isClosed(file: FileDiff): boolean {
    return this.#closed.get(file.path) ?? (file.patch !== undefined && closedAtFirst(file.patch) !== undefined);
  }

  setClosed(path: string, closed: boolean): void {
    this.#closed = new Map([...this.#closed, [path, closed]]);
  }

  commentsOn(path: string): readonly Comment[] {
    return this.comments.filter((comment) => comment.path === path);
  }

  begin(at: Omit<Comment, 'id' | 'body'>): void {
    const same = this.comments.find(({ path, side, line }) => path === at.path && side === at.side && line === at.line);
    if (same === undefined) this.#keep([...this.comments, { ...at, id: crypto.randomUUID(), body: '' }]);
  }

  write(id: string, body: string): void {
    this.#keep(this.comments.map((comment) => (comment.id === id ? { ...comment, body } : comment)));
  }

  remove(id: string): void {
    this.#keep(this.comments.filter((comment) => comment.id !== id));
  }

  /** Sends all comments as one message; they are forgotten only once the daemon has taken it. */
  async send(): Promise<boolean> {
    const text = message(this.comments);
    if (text === undefined || this.sending) return false;
    this.sending = true;
    this.sendProblem = undefined;
    const sent = new Set(this.comments.map(({ id, body }) => `${id} ${body}`));
    try {
      await this.client.sendMessage(this.session, { id: null, text, now: false });
      this.#keep(this.comments.filter(({ id, body }) => !sent.has(`${id} ${body}`)));
      return true;
    } catch (thrown) {
      this.sendProblem = shown(thrown);
      return false;
    } finally {
      this.sending = false;
    }
  }

  askToPull(): void {
    this.pull = { kind: 'asking' };
  }

  closePull(): void {
    this.pull = { kind: 'closed' };
  }

  async bringHome(): Promise<void> {
    this.pull = { kind: 'pulling' };
    try {
      this.pull = { kind: 'pulled', view: await this.client.pull(this.session) };
    } catch (thrown) {
      this.pull = { kind: 'failed', error: shown(thrown) };
    }
  }

  #keep(comments: readonly Comment[]): void {
    this.comments = comments;
    this.drafts.write(comments);
  }
}

/** The list names every file, the patch shows their lines; a patch that was cut lacks the last ones. */
export function together(view: DiffView): FileDiff[] {
  const patches = new Map(readPatch(view.patch).map((file) => [file.path, file]));
  const risks = new Map(view.risky.map(({ path, why }) => [path, why]));
  const listed = new Map(view.files.map((file) => [file.path, file]));
  const paths = [...new Set([...listed.keys(), ...patches.keys()])].sort(byFolder);
  return paths.map((path) => ({ path, listed: listed.get(path), patch: patches.get(path), risk: risks.get(path) }));
}

/** A folder's files before its folders, each by name: the order in which a tree is read. */
function byFolder(one: string, other: string): number {
  const [a, b] = [one.split('/'), other.split('/')];
  for (let at = 0; ; at += 1) {
    const [left, right] = [a[at] ?? '', b[at] ?? ''];
    const [leftEnds, rightEnds] = [at === a.length - 1, at === b.length - 1];
    if (left !== right) return leftEnds === rightEnds ? (left < right ? -1 : 1) : leftEnds ? -1 : 1;
    if (leftEnds || rightEnds) return a.length - b.length;
  }
}
