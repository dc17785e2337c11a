// What the stream of events says, as values. No connection, no clock.

import type { ServerEvent, Session } from '../api/types.ts';

export interface World {
  /** The number of the last change in it. */
  seq: number;
  sessions: ReadonlyMap<string, Session>;
  paused: boolean;
  /** Whether the disk that holds everything has no room. */
  diskFull: boolean;
}

/**
 * The world after `event`. A change that is known already changes nothing; one that leaves a gap means that
 * something was lost, and the whole state is needed again.
 */
export function after(world: World | null, event: ServerEvent): World | 'lost' {
  if (event.type === 'state') {
    return { seq: event.seq, sessions: new Map(event.sessions.map((one) => [one.id, one])), paused: event.network_paused, diskFull: event.disk_full };
  }
  if (!world) return 'lost';
  if (event.seq <= world.seq) return world;
  if (event.seq > world.seq + 1) return 'lost';
  switch (event.type) {
    case 'network':
      return { ...world, seq: event.seq, paused: event.paused };
    case 'disk':
      return { ...world, seq: event.seq, diskFull: event.full };
    case 'session':
      return { ...world, seq: event.seq, sessions: new Map(world.sessions).set(event.session.id, event.session) };
    case 'removed': {
      const sessions = new Map(world.sessions);
      sessions.delete(event.id);
      return { ...world, seq: event.seq, sessions };
    }
    default:
      return unknown(event);
  }
}

/** How long to wait before the attempt of this number: 250 ms doubling to 8 s, each cut by up to half. */
export function wait(attempt: number, random: number): number {
  const whole = Math.min(8000, 250 * 2 ** Math.min(attempt, 10));
  return Math.round(whole * (1 - random / 2));
}

function unknown(event: never): World | 'lost' {
  console.warn('An event of an unknown type came.', event);
  return 'lost';
}
