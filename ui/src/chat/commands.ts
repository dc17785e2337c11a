// Commands of the agents' own, as far as they are known: those that make sense from a chat.

import type { Agent } from '../api/types.ts';

export interface Command {
  name: string;
  note: string;
}

const commands: Record<Agent, readonly Command[]> = {
  claude: [
    { name: 'clear', note: 'begin a new conversation' },
    { name: 'compact', note: 'replace the conversation by a summary' },
    { name: 'context', note: 'what fills the context' },
    { name: 'cost', note: 'what the agent counts itself' },
    { name: 'init', note: 'write a CLAUDE.md' },
    { name: 'memory', note: 'edit what it remembers, in the terminal' },
    { name: 'model', note: 'choose a model, in the terminal' },
    { name: 'resume', note: 'go on with another conversation, in the terminal' },
    { name: 'review', note: 'review a pull request' },
    { name: 'security-review', note: 'review the changes for security' },
    { name: 'status', note: 'how it is set up, in the terminal' },
  ],
  codex: [
    { name: 'compact', note: 'replace the conversation by a summary' },
    { name: 'diff', note: 'show the changes, in the terminal' },
    { name: 'init', note: 'write an AGENTS.md' },
    { name: 'model', note: 'choose a model, in the terminal' },
    { name: 'new', note: 'begin a new conversation' },
    { name: 'review', note: 'review the changes, in the terminal' },
    { name: 'status', note: 'how it is set up, in the terminal' },
  ],
};

export function offered(agent: Agent): readonly Command[] {
  return commands[agent];
}
