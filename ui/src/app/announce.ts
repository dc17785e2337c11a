import type { SessionChange } from '../state/sessions.svelte.ts';
import { titleOf } from '../state/standing.ts';

/** What a screen reader should hear of a change; none for what is not worth a word. */
export function announce({ before, now }: SessionChange): string | null {
  if (!before) return null;
  const name = titleOf(now);
  if (before.state !== now.state) {
    if (now.state === 'failed') return `${name} failed: ${now.reason}`;
    if (now.state === 'exited') return now.code === 0 ? `${name} is finished.` : `${name} ended with exit code ${now.code}.`;
  }
  if (before.standing === now.standing) return null;
  switch (now.standing) {
    case 'needs-you':
      return `${name} needs you.`;
    case 'ready':
      return `${name} is ready for review.`;
    case 'done':
      return `${name} is done.`;
    case 'archived':
    case 'idle':
    case 'working':
      return null;
  }
}
