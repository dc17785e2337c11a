// Files on their way into a session: judged, sent one after the other, and inserted into its prompt.

import type { Client } from '../api/client.ts';
import { shown } from '../api/error.ts';
import { inserted, judge } from './check.ts';

export type Progress =
  | { kind: 'waiting' }
  | { kind: 'sending'; sent: number }
  | { kind: 'done'; path: string }
  | { kind: 'refused'; reason: string }
  | { kind: 'failed'; reason: string }
  | { kind: 'cancelled' };

export interface Sending {
  id: number;
  session: string;
  name: string;
  bytes: number;
  progress: Progress;
}

/** Something that can be sent: a file of the browser, or one that the shell reads by its path. */
export interface Item {
  name: string;
  bytes: number;
  folder: boolean;
  /** Where it is on this machine; a browser does not say. */
  path?: string;
  blob: () => Promise<Blob>;
}

export class UploadsModel {
  all = $state.raw<readonly Sending[]>([]);
  #next = 1;
  #cancels = new Map<number, AbortController>();
  #composers = new Map<string, (text: string) => void>();

  constructor(private readonly client: Client) {}

  get busy(): boolean {
    return this.all.some(({ progress }) => progress.kind === 'sending' || progress.kind === 'waiting');
  }

  /** Has the paths of a session's files go into its composer, until the return value is called. */
  insertInto(session: string, insert: (text: string) => void): () => void {
    this.#composers.set(session, insert);
    return () => {
      if (this.#composers.get(session) === insert) this.#composers.delete(session);
    };
  }

  /** Sends what may be sent to a session, then puts the paths into its composer or types them into its prompt. */
  async send(session: string, items: readonly Item[]): Promise<void> {
    const listed = judge(items).map((verdict) => ({ verdict, row: this.#list(session, verdict.item, verdict) }));
    const paths: string[] = [];
    for (const { verdict, row } of listed) {
      if (verdict.kind === 'refuse') continue;
      const path = await this.#sendOne(row, verdict.item);
      if (path !== undefined) paths.push(path);
    }
    if (paths.length === 0) return;
    const compose = this.#composers.get(session);
    if (compose !== undefined) return compose(inserted(paths));
    try {
      await this.client.say(session, { text: inserted(paths), send: false });
    } catch (thrown) {
      const reason = `It is at ${paths.join(' ')}, but could not be inserted: ${shown(thrown).message}`;
      for (const { row } of listed) if (this.#find(row)?.progress.kind === 'done') this.#set(row, { kind: 'failed', reason });
    }
  }

  cancel(id: number): void {
    this.#cancels.get(id)?.abort();
    if (this.#find(id)?.progress.kind === 'waiting') this.#set(id, { kind: 'cancelled' });
  }

  /** Forgets what has ended. */
  clear(): void {
    this.all = this.all.filter(({ progress }) => progress.kind === 'waiting' || progress.kind === 'sending');
  }

  async #sendOne(id: number, item: Item): Promise<string | undefined> {
    if (this.#find(id)?.progress.kind !== 'waiting') return undefined;
    const session = this.#find(id)?.session ?? '';
    const cancel = new AbortController();
    this.#cancels.set(id, cancel);
    this.#set(id, { kind: 'sending', sent: 0 });
    try {
      const blob = await item.blob();
      const { path } = await this.client.upload(session, item.name, blob, (sent) => this.#set(id, { kind: 'sending', sent }), cancel.signal);
      this.#set(id, { kind: 'done', path });
      return path;
    } catch (thrown) {
      this.#set(id, cancel.signal.aborted ? { kind: 'cancelled' } : { kind: 'failed', reason: shown(thrown).message });
      return undefined;
    } finally {
      this.#cancels.delete(id);
    }
  }

  #list(session: string, item: Item, verdict: { kind: 'send' } | { kind: 'refuse'; reason: string }): number {
    const id = this.#next++;
    const progress: Progress = verdict.kind === 'send' ? { kind: 'waiting' } : { kind: 'refused', reason: verdict.reason };
    this.all = [...this.all, { id, session, name: item.name, bytes: item.bytes, progress }];
    return id;
  }

  #find(id: number): Sending | undefined {
    return this.all.find((one) => one.id === id);
  }

  #set(id: number, progress: Progress): void {
    this.all = this.all.map((one) => (one.id === id ? { ...one, progress } : one));
  }
}
