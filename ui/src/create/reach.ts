// What a session will be able to reach, in a sentence. The words follow docs/policy.md.

import type { Agent, Posture } from '../api/types.ts';

export const postures: readonly { value: Posture; label: string; sentence: string }[] = [
  { value: 'locked', label: 'Locked', sentence: 'The model alone. Nothing can be fetched.' },
  { value: 'balanced', label: 'Balanced', sentence: 'The model, public code on GitHub and public packages, to read only.' },
  { value: 'open', label: 'Open', sentence: 'Any public https host as well, to read and to send. Still none of your credentials inside.' },
];

export interface Plan {
  agent: Agent;
  posture: Posture;
  repository: string;
}

/** One sentence on what the session may reach, and one on what it never can. */
export function reach({ agent, posture, repository }: Plan): { can: string; cannot: string } {
  const model = agent === 'claude' ? 'Claude at Anthropic' : 'Codex at OpenAI';
  const folder = repository.split('/').filter(Boolean).at(-1);
  const clone = folder ? `a private clone of ${folder}` : 'a private clone of the repository';
  const cannot = 'Pushing, your files elsewhere and your local network stay out of reach; credentials are set outside of the sandbox.';
  switch (posture) {
    case 'locked':
      return { can: `Reaches ${model} and nothing else, and works on ${clone}.`, cannot };
    case 'balanced':
      return { can: `Reaches ${model}, can read from GitHub and the public package registries, and works on ${clone}.`, cannot };
    case 'open':
      return {
        can: `Reaches ${model} and any public https host, and works on ${clone}: whatever it reads, it can send anywhere.`,
        cannot,
      };
  }
}
