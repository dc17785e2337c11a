// A session's state in a word, an icon and a colour; and the groups of the list.

import type { AgentStatus, Session, Standing } from '../api/types.ts';
import type { IconName } from '../parts/icons.ts';

export type Tone = 'yellow' | 'accent' | 'green' | 'red' | 'orange' | 'grey';

export interface Badge {
  word: string;
  icon: IconName;
  tone: Tone;
}

export const groups: readonly { standing: Standing; label: string; icon: IconName; tone: Tone }[] = [
  { standing: 'needs-you', label: 'Needs you', icon: 'attention', tone: 'yellow' },
  { standing: 'working', label: 'Working', icon: 'spinner', tone: 'accent' },
  { standing: 'ready', label: 'Ready for review', icon: 'review', tone: 'green' },
  { standing: 'idle', label: 'Idle', icon: 'idle', tone: 'grey' },
  { standing: 'done', label: 'Done', icon: 'done', tone: 'green' },
  { standing: 'archived', label: 'Archived', icon: 'archive', tone: 'grey' },
];

/** What a session is doing now. `paused` is the pause of every session's network. */
export function badge(session: Session, paused = false): Badge {
  if (session.standing === 'archived') return { word: 'Archived', icon: 'archive', tone: 'grey' };
  switch (session.state) {
    case 'failed':
      return { word: 'Failed', icon: 'error', tone: 'red' };
    case 'unknown':
      return { word: 'Unknown', icon: 'question', tone: 'grey' };
    case 'creating':
      return { word: 'Creating', icon: 'spinner', tone: 'accent' };
    case 'starting':
      return { word: 'Starting', icon: 'spinner', tone: 'accent' };
    case 'stopping':
      return { word: 'Stopping', icon: 'spinner', tone: 'grey' };
    case 'stopped':
      return { word: 'Stopped', icon: 'stopped', tone: 'grey' };
    case 'exited':
      if (session.code !== 0) return { word: `Exited ${session.code}`, icon: 'error', tone: 'red' };
      return session.standing === 'ready' ? { word: 'Ready', icon: 'review', tone: 'green' } : { word: 'Done', icon: 'done', tone: 'green' };
    case 'running':
      return running(session, paused);
  }
}

function running(session: Session, paused: boolean): Badge {
  if (paused) return { word: 'Egress held', icon: 'held', tone: 'orange' };
  if (session.budget?.held) return { word: 'Over budget', icon: 'held', tone: 'yellow' };
  if (session.standing === 'ready') return { word: 'Ready', icon: 'review', tone: 'green' };
  return agentBadge(session.status);
}

/** What the agent of a running session does. */
function agentBadge({ status }: AgentStatus): Badge {
  switch (status) {
    case 'working':
      return { icon: 'spinner', word: 'Working', tone: 'accent' };
    case 'needs_approval':
      return { icon: 'attention', word: 'Needs approval', tone: 'yellow' };
    case 'needs_input':
      return { icon: 'attention', word: 'Needs input', tone: 'yellow' };
    case 'idle':
      return { icon: 'idle', word: 'Idle', tone: 'grey' };
    case 'done':
      return { icon: 'done', word: 'Done', tone: 'green' };
    case 'failed':
      return { icon: 'error', word: 'Failed', tone: 'red' };
    case 'interrupted':
      return { icon: 'stopped', word: 'Interrupted', tone: 'orange' };
    case 'stuck':
      return { icon: 'warning', word: 'Stuck', tone: 'yellow' };
    case 'unknown':
      return { icon: 'question', word: 'Unknown', tone: 'grey' };
  }
}

/** On what the agent of a running session works, or what is wrong with it. */
export function detail({ state, status }: Pick<Session, 'state' | 'status'>): string | undefined {
  if (state !== 'running') return undefined;
  switch (status.status) {
    case 'working':
      return status.doing ?? undefined;
    case 'failed':
      return status.why;
    case 'stuck':
      return 'Nothing passes between it and the model';
    case 'needs_approval':
    case 'needs_input':
    case 'idle':
    case 'done':
    case 'interrupted':
    case 'unknown':
      return undefined;
  }
}

/** What the agent works on, or else the last that is known of it. */
export function line(session: Session): string {
  if (session.state === 'failed' || session.state === 'unknown') return session.reason;
  const more = session.budget?.held ? undefined : detail(session);
  return more ?? session.last_line ?? '';
}

export function titleOf(session: Pick<Session, 'title' | 'name'>): string {
  return session.title || session.name;
}
