import type { Client } from '../api/client.ts';
import type { Posture, Session } from '../api/types.ts';
import { hashFor } from '../state/route.ts';
import type { Router } from '../state/router.svelte.ts';
import type { Sessions } from '../state/sessions.svelte.ts';
import { titleOf } from '../state/standing.ts';
import type { Toasts } from '../state/toasts.svelte.ts';

/** What can be done with sessions, one or many. What fails is said; what can be undone says how. */
export class Deeds {
  #client: Client;
  #sessions: Sessions;
  #router: Router;
  #toasts: Toasts;

  constructor(client: Client, sessions: Sessions, router: Router, toasts: Toasts) {
    this.#client = client;
    this.#sessions = sessions;
    this.#router = router;
    this.#toasts = toasts;
  }

  start = (list: readonly Session[]) => this.#each(list.filter(canStart), (id) => this.#client.start(id));
  stop = (list: readonly Session[]) => this.#each(list.filter(canStop), (id) => this.#client.stop(id));
  recreate = (session: Session) => this.#each([session], (id) => this.#client.recreate(id));
  pin = (list: readonly Session[], pinned: boolean) => this.#each(list, (id) => this.#client.update(id, { pinned }));
  notify = (session: Session, notify: boolean) => this.#each([session], (id) => this.#client.update(id, { notify }));
  posture = (session: Session, posture: Posture) => this.#each([session], (id) => this.#client.update(id, { posture }));
  rename = (session: Session, title: string) => this.#each([session], (id) => this.#client.update(id, { title }));

  async archive(list: readonly Session[]): Promise<void> {
    const done = await this.#each(list.filter(canArchive), (id) => this.#client.archive(id));
    if (done.length === 0) return;
    this.#toasts.say(`Archived ${named(done)}.`, { action: { label: 'Undo', run: () => void this.#each(done, (id) => this.#client.unarchive(id)) } });
  }

  unarchive = (list: readonly Session[]) => this.#each(list.filter((one) => one.standing === 'archived'), (id) => this.#client.unarchive(id));

  async delete(list: readonly Session[]): Promise<void> {
    const done = await this.#each(list, (id) => this.#client.delete(id));
    if (done.length === 0) return;
    const route = this.#router.route;
    if (route.page === 'session' && done.some((one) => one.id === route.id)) this.#router.go({ page: 'sessions' });
    this.#toasts.say(`Deleted ${named(done)}.`, { action: { label: 'Undo', run: () => void this.#restore(done, hashFor(route)) } });
  }

  async #restore(list: readonly Session[], hash: string): Promise<void> {
    const back = await this.#each(list, (id) => this.#client.restore(id));
    if (back.length === list.length && hash !== hashFor(this.#router.route)) location.hash = hash;
  }

  async setPaused(paused: boolean): Promise<void> {
    try {
      await this.#client.setNetwork({ paused });
    } catch (thrown) {
      this.#toasts.fail(thrown);
    }
  }

  /** Does it for each, and returns those for which it worked. One failure of many is said once. */
  async #each(list: readonly Session[], act: (id: string) => Promise<unknown>): Promise<Session[]> {
    const results = await Promise.allSettled(list.map((session) => act(session.id)));
    const failed = results.find((one) => one.status === 'rejected');
    if (failed) this.#toasts.fail(failed.reason);
    for (const one of results) if (one.status === 'fulfilled' && isSession(one.value)) this.#sessions.put(one.value);
    return list.filter((_, index) => results[index]?.status === 'fulfilled');
  }
}

export function canStart(session: Session): boolean {
  // One that prints has had its one prompt.
  return session.mode === 'interactive' && session.standing !== 'archived' && ['stopped', 'exited', 'failed'].includes(session.state);
}

export function canStop(session: Session): boolean {
  return session.state === 'running' || session.state === 'starting';
}

export function canArchive(session: Session): boolean {
  return session.standing !== 'archived' && session.state !== 'creating';
}

function named(list: readonly Session[]): string {
  const [first] = list;
  return list.length === 1 && first ? `“${titleOf(first)}”` : `${list.length} sessions`;
}

function isSession(value: unknown): value is Session {
  return typeof value === 'object' && value !== null && 'id' in value && 'standing' in value;
}
