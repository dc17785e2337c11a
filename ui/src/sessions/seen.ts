import type { Session } from '../api/types.ts';

/** Whether a session has finished something that nobody has looked at. */
export function isFresh(session: Session): boolean {
  return session.standing === 'ready' || (session.standing === 'needs-you' && session.state === 'exited');
}
