// From what was typed to what is asked for.

import type { Agent, Backend, CreateSession, Posture } from '../api/types.ts';
import { wrong } from '../budget/budget.ts';

export interface Draft {
  repository: string;
  prompt: string;
  name: string;
  agent: Agent;
  backend: Backend | '';
  posture: Posture;
  image: string;
  model: string;
  /** As it is typed; empty for the configured one. */
  budget: string;
  isolateHistory: boolean;
}

/** What is missing or wrong, by field; empty where it can be created. */
export function problems(draft: Draft): Partial<Record<'repository' | 'name' | 'budget', string>> {
  const found: Partial<Record<'repository' | 'name' | 'budget', string>> = {};
  const repository = draft.repository.trim();
  if (!repository) found.repository = 'Choose the git repository to work on.';
  else if (!repository.startsWith('/') && !repository.startsWith('~')) found.repository = 'Write the whole path, beginning with /.';
  if (draft.name.length > 63) found.name = 'A name has at most 63 characters.';
  const budget = wrong(draft.budget);
  if (budget !== undefined) found.budget = budget;
  return found;
}

/** With images the prompt waits: it is said when the images are there. */
export function requestOf(draft: Draft, images: number): CreateSession {
  return {
    name: draft.name.trim() || null,
    repository: draft.repository.trim(),
    agent: draft.agent,
    backend: draft.backend || null,
    image: draft.backend === 'bubblewrap' ? null : draft.image.trim() || null,
    model: draft.model.trim() || null,
    mode: 'interactive',
    prompt: images > 0 ? null : draft.prompt.trim() ? draft.prompt : null,
    posture: draft.posture,
    budget: draft.budget.trim() || null,
    cols: 120,
    rows: 32,
    credential_fingerprints: null,
    isolate_history: draft.isolateHistory,
  };
}

/** Images in what was pasted or dropped. */
export function imagesIn(files: Iterable<File>): File[] {
  return [...files].filter((file) => ['image/png', 'image/jpeg', 'image/gif', 'image/webp'].includes(file.type));
}

/** A name for a pasted image, which has none of its own worth keeping. */
export function imageName(file: File, place: number): string {
  const ending = file.type.split('/')[1] ?? 'png';
  return file.name && file.name !== 'image.png' ? file.name : `pasted-${place}.${ending}`;
}
