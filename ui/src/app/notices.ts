import type { Session } from '../api/types.ts';
import type { Shell } from '../shell/shell.ts';
import type { DeskSettings } from '../state/desk.ts';
import type { SessionChange } from '../state/sessions.svelte.ts';
import { line, titleOf } from '../state/standing.ts';

export interface Notice {
  kind: keyof DeskSettings['notifications'];
  body: string;
}

/** How long a state must last before it is worth a notice, and how long a session is quiet after one. */
const DWELL = 5000;
const COOLDOWN = 60_000;

/** What a change is worth telling somebody who is elsewhere. */
export function noticeOf({ before, now }: SessionChange): Notice | null {
  if (!before || !now.notify) return null;
  const failed = now.state === 'failed' || (now.state === 'exited' && now.code !== 0);
  if (failed && before.state !== now.state) return { kind: 'failed', body: now.state === 'failed' ? now.reason : 'Its agent ended with an error.' };
  if (now.budget?.near && !now.budget.held && !before.budget?.near) return { kind: 'needsInput', body: `80 % of its budget of ${now.budget.words} is used.` };
  if (now.needs_you && !before.needs_you) return { kind: 'needsInput', body: line(now) || 'It needs you.' };
  if (before.standing === now.standing) return null;
  if (now.standing === 'ready') return { kind: 'finished', body: 'Its work is ready for review.' };
  return null;
}

/** Notifications for a page in a browser; the native window has its own, which outlive the page. */
export class Notices {
  #shell: Pick<Shell, 'visible' | 'notify'>;
  #wanted: () => DeskSettings['notifications'];
  #now: (id: string) => Session | undefined;
  #open: (id: string) => void;
  #dwelling = new Map<string, ReturnType<typeof setTimeout>>();
  #last = new Map<string, number>();

  constructor(shell: Pick<Shell, 'visible' | 'notify'>, wanted: () => DeskSettings['notifications'], now: (id: string) => Session | undefined, open: (id: string) => void) {
    this.#shell = shell;
    this.#wanted = wanted;
    this.#now = now;
    this.#open = open;
  }

  hear(change: SessionChange): void {
    const { id, standing, state, needs_you } = change.now;
    // Whatever changes next ends the wait for what was before.
    if (change.before?.standing !== standing || change.before.state !== state || change.before.needs_you !== needs_you) this.#forget(id);
    const notice = noticeOf(change);
    if (!notice || !this.#wanted()[notice.kind]) return;
    this.#dwelling.set(id, setTimeout(() => this.#tell(id, notice), DWELL));
  }

  dispose(): void {
    for (const timer of this.#dwelling.values()) clearTimeout(timer);
    this.#dwelling.clear();
  }

  #tell(id: string, notice: Notice): void {
    this.#dwelling.delete(id);
    const session = this.#now(id);
    if (!session || this.#shell.visible() || Date.now() - (this.#last.get(id) ?? -COOLDOWN) < COOLDOWN) return;
    this.#last.set(id, Date.now());
    void this.#shell.notify({ title: titleOf(session), body: notice.body, session: id }, () => this.#open(id)).catch(() => undefined);
  }

  #forget(id: string): void {
    clearTimeout(this.#dwelling.get(id));
    this.#dwelling.delete(id);
  }
}
