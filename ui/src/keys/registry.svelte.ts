import type { IconName } from '../parts/icons.ts';
import { strokeText, types, type Platform, type Stroke } from './keys.ts';
import type { Typing } from './typing.ts';

/** One thing that the person can do. Menu, palette and shortcuts all come from here. */
export interface Action {
  id: string;
  title: string;
  /** The heading it stands under in the palette and in the settings. */
  group: 'General' | 'Session' | 'View' | 'List' | 'Go to';
  icon?: IconName;
  /** The default keys, such as "Mod+K". */
  keys?: string;
  /** More words by which the palette finds it. */
  words?: string;
  /** Whether it can be done now; always, where absent. */
  when?: () => boolean;
  /** Left out of the palette, such as "next row". */
  hidden?: boolean;
  run: () => void;
}

export interface Conflict {
  keys: string;
  ids: string[];
}

/** The one list of actions. Components add theirs while they live. */
export class Registry {
  #platform: Platform;
  #keysOf: () => Record<string, string>;
  #actions = $state.raw<ReadonlyMap<string, Action>>(new Map());

  readonly all = $derived([...this.#actions.values()]);
  readonly conflicts = $derived(conflicts(this.all, (action) => this.keys(action)));

  constructor(platform: Platform, remapped: () => Record<string, string>) {
    this.#platform = platform;
    this.#keysOf = remapped;
  }

  /** Adds actions; the return value takes them away again. */
  add(actions: Action[]): () => void {
    const next = new Map(this.#actions);
    for (const action of actions) next.set(action.id, action);
    this.#actions = next;
    return () => {
      const rest = new Map(this.#actions);
      for (const action of actions) if (rest.get(action.id) === action) rest.delete(action.id);
      this.#actions = rest;
    };
  }

  get(id: string): Action | undefined {
    return this.#actions.get(id);
  }

  run(id: string): boolean {
    const action = this.#actions.get(id);
    if (!action || action.when?.() === false) return false;
    action.run();
    return true;
  }

  /** The keys in force: the person's own, or else the default ones. */
  keys(action: Pick<Action, 'id' | 'keys'>): string {
    return this.#keysOf()[action.id] ?? action.keys ?? '';
  }

  keysFor(id: string): string {
    const action = this.#actions.get(id);
    return action ? this.keys(action) : '';
  }

  /** Runs what a key stroke means; false where it means nothing here. */
  press(stroke: Stroke, typing: Typing): boolean {
    const text = strokeText(stroke, this.#platform);
    if (!text || (typing !== 'no' && types(text))) return false;
    if (typing === 'terminal' && !leavesTerminal(text, this.#platform)) return false;
    const action = this.all.find((one) => this.keys(one) === text && one.when?.() !== false);
    if (!action) return false;
    action.run();
    return true;
  }
}

/** A terminal gives away what no terminal program can receive: ⌘ on a Mac, Ctrl-Shift elsewhere. */
function leavesTerminal(text: string, platform: Platform): boolean {
  return platform === 'mac' ? text.startsWith('Mod+') : text.startsWith('Mod+') && text.includes('Shift+');
}

/** Keys that more than one action has. */
export function conflicts(actions: readonly Action[], keys: (action: Action) => string): Conflict[] {
  const by = new Map<string, string[]>();
  for (const action of actions) {
    const text = keys(action);
    if (text) by.set(text, [...(by.get(text) ?? []), action.id]);
  }
  return [...by].filter(([, ids]) => ids.length > 1).map(([text, ids]) => ({ keys: text, ids }));
}
