import type { Session } from '../api/types.ts';

type Change = Partial<Omit<Session, 'state'>> & ({ state?: 'running' | 'stopped' | 'creating' | 'starting' | 'stopping' } | { state: 'exited'; code: number } | { state: 'failed' | 'unknown'; reason: string });

/** A session as the daemon would send it, for tests. */
export function session(change: Change = {}): Session {
  const id = change.id ?? 'aaaaaaaaaa';
  return {
    id,
    name: `name-${id}`,
    agent: 'claude',
    backend: 'bubblewrap',
    mode: 'interactive',
    image: null,
    model: null,
    repository: '/home/ada/storefront',
    branch: `clauderon/name-${id}`,
    base: '0123456789abcdef',
    status: { status: 'working', doing: null, since_ms: 1000 },
    standing: 'working',
    needs_you: false,
    title: null,
    last_line: null,
    pinned: false,
    notify: true,
    archived_ms: null,
    posture: 'balanced',
    budget: null,
    untested: null,
    demo: false,
    created_ms: 1000,
    last_activity_ms: null,
    notices: [],
    limits: [],
    state: 'running',
    ...change,
  } as Session;
}
