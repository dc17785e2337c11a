// What the window remembers, and how it is read from whatever was kept.

import type { Agent, Backend, Desk as WireDesk, JsonValue, Posture } from '../api/types.ts';

export type Appearance = 'system' | 'light' | 'dark' | 'contrast';

export interface DeskSettings {
  appearance: Appearance;
  density: 'comfortable' | 'compact';
  fontSize: 12 | 13 | 14 | 16;
  terminal: { fontSize: number; renderer: 'auto' | 'dom' | 'webgl'; screenReader: boolean };
  diff: { layout: 'split' | 'unified' };
  /** Comments on lines that are not sent yet, by session. */
  comments: Record<string, JsonValue>;
  /** What is written in a session's composer and not sent yet. */
  drafts: Record<string, string>;
  /** The session whose terminal stands beside another's. */
  split: Record<string, string>;
  /** Action id to its keys; empty text takes the keys away. */
  shortcuts: Record<string, string>;
  create: { repository: string; agent: Agent; backend: Backend | ''; posture: Posture; image: string };
  notifications: { needsInput: boolean; finished: boolean; failed: boolean };
  sidebar: { width: number; hidden: boolean };
  /** Whether the first run was gone through or skipped. */
  welcomed: boolean;
  collapsed: string[];
}

export const defaults: DeskSettings = {
  appearance: 'system',
  density: 'comfortable',
  fontSize: 13,
  terminal: { fontSize: 13, renderer: 'auto', screenReader: false },
  diff: { layout: 'split' },
  comments: {},
  drafts: {},
  split: {},
  shortcuts: {},
  create: { repository: '', agent: 'claude', backend: '', posture: 'balanced', image: '' },
  notifications: { needsInput: true, finished: true, failed: true },
  sidebar: { width: 272, hidden: false },
  welcomed: false,
  collapsed: ['archived'],
};

/** What was kept, laid over the defaults; a value of another type than the default's is left out. */
export function read(kept: WireDesk): DeskSettings {
  return overlay(defaults as unknown as JsonValue, kept) as unknown as DeskSettings;
}

function overlay(base: JsonValue, kept: JsonValue | undefined): JsonValue {
  if (kept === undefined || kept === null) return structuredClone(base);
  if (Array.isArray(base)) return Array.isArray(kept) ? kept : structuredClone(base);
  if (isObject(base)) {
    if (!isObject(kept)) return structuredClone(base);
    // What this version does not know is kept as it is, for the version that does.
    const result: Record<string, JsonValue> = { ...kept };
    for (const [key, value] of Object.entries(base)) result[key] = overlay(value, kept[key]);
    return result;
  }
  return typeof kept === typeof base ? kept : base;
}

function isObject(value: JsonValue): value is Record<string, JsonValue> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
