// What a terminal says about itself when it is not simply running: one sentence, and what can be done.

import type { Exit, Session } from '../api/types.ts';
import type { LinkState } from './link.ts';

export interface Banner {
  tone: 'quiet' | 'busy' | 'warn' | 'bad' | 'good';
  word: string;
  text: string;
  action: 'start' | 'retry' | undefined;
}

/** Says what to show below the terminal; undefined where it runs. */
export function banner(session: Session, link: LinkState): Banner | undefined {
  // One that prints has had its one prompt.
  const again = session.mode === 'interactive' ? ('start' as const) : undefined;
  switch (session.state) {
    case 'creating':
      return { tone: 'busy', word: 'Creating', text: 'The workspace and the sandbox are being made.', action: undefined };
    case 'starting':
      return { tone: 'busy', word: 'Starting', text: 'The sandbox starts.', action: undefined };
    case 'stopping':
      return { tone: 'busy', word: 'Stopping', text: 'The agent is asked to end.', action: undefined };
    case 'stopped':
      return { tone: 'quiet', word: 'Stopped', text: 'Nothing runs. All of its work is kept.', action: again };
    case 'exited':
      return ended(session, link, again);
    case 'failed':
      return { tone: 'bad', word: 'Failed', text: session.reason, action: again };
    case 'unknown':
      return { tone: 'warn', word: 'Unknown', text: 'Keys are not taken until it is known how the agent fares.', action: undefined };
    case 'running':
      return connection(link);
  }
}

function ended(session: Session & { state: 'exited' }, link: LinkState, again: Banner['action']): Banner {
  const exit = link.kind === 'ended' ? link.exit : { code: session.code, signal: null, oom: false };
  const good = exit.code === 0;
  return { tone: good ? 'good' : 'bad', word: good ? 'Ended' : 'Failed', text: how(exit), action: again };
}

function how({ code, signal, oom }: Exit): string {
  if (oom) return 'The agent needed more memory than it may have, and was ended.';
  if (signal !== null) return `The agent was ended by signal ${signal}.`;
  return code === 0 ? 'The agent has finished.' : `The agent ended with code ${code}.`;
}

function connection(link: LinkState): Banner | undefined {
  switch (link.kind) {
    case 'live':
    case 'closed':
    case 'connecting':
      return undefined;
    case 'reconnecting':
      // One try goes unnoticed: a daemon that is restarted comes back at once.
      if (link.attempt < 2) return undefined;
      return { tone: 'warn', word: 'Connection lost', text: 'The agent goes on. What you type is kept and sent when the connection is back.', action: 'retry' };
    case 'ended':
      return { tone: link.exit.code === 0 ? 'good' : 'bad', word: 'Ended', text: how(link.exit), action: undefined };
    case 'failed':
      return { tone: 'bad', word: 'No terminal', text: [link.error.message, link.error.hint].filter(Boolean).join(' '), action: 'retry' };
  }
}
