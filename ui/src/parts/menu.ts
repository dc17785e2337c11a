import type { IconName } from './icons.ts';

/** One row of a menu. */
export type MenuItem =
  | { kind?: 'item'; id: string; label: string; icon?: IconName; keys?: string[]; danger?: boolean; disabled?: boolean; run: () => void }
  | { kind: 'check'; id: string; label: string; checked: boolean; run: () => void }
  | { kind: 'line'; id: string };
