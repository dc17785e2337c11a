// What a composer decides: whether it may send, and what the arrows bring back.

import type { Item, Session } from '../api/types.ts';

/** Why nothing can be sent now; undefined where it can. */
export function refusal(session: Session): string | undefined {
  if (session.mode === 'print') return 'A session that prints takes one prompt, its first.';
  if (session.archived_ms !== null) return 'The session is archived.';
  switch (session.state) {
    case 'running':
      return undefined;
    case 'creating':
    case 'starting':
      return 'The session is still starting.';
    case 'stopping':
      return 'The session is stopping.';
    case 'stopped':
    case 'exited':
      return 'The session does not run.';
    case 'failed':
    case 'unknown':
      return session.reason;
  }
}

/** What the person sent, oldest first, each text once. */
export function history(items: readonly Item[]): string[] {
  const texts = items.flatMap((item) => (item.kind === 'prompt' && item.origin !== 'agent' && item.parent === null && item.text.trim() !== '' ? [item.text] : []));
  return [...new Set(texts.reverse())].reverse();
}

/** The place in the history after an arrow; its length is the person's own draft. */
export function step(length: number, at: number, key: 'ArrowUp' | 'ArrowDown'): number {
  return Math.min(length, Math.max(0, at + (key === 'ArrowUp' ? -1 : 1)));
}
