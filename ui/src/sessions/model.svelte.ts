import type { Session } from '../api/types.ts';
import type { Desk } from '../state/desk.svelte.ts';
import type { Sessions } from '../state/sessions.svelte.ts';
import { moved, rows, select, visible, type Row } from './list.ts';

/** What the person does with the list: filter, selection, the row that the keys are on. Sidebar and full list share it. */
export class ListModel {
  #sessions: Sessions;
  #desk: Desk;
  #anchor: string | null = null;
  /** Where the active row stood. */
  #place = -1;
  filter = $state('');
  active = $state<string | null>(null);
  #picked = $state.raw<ReadonlySet<string>>(new Set());

  readonly rows: Row[] = $derived.by(() => rows(this.#sessions.all, this.filter, this.#desk.settings.collapsed));
  readonly visible = $derived(visible(this.rows));
  readonly selected: Session[] = $derived.by(() => this.#sessions.all.filter((session) => this.#picked.has(session.id)));

  constructor(sessions: Sessions, desk: Desk) {
    this.#sessions = sessions;
    this.#desk = desk;
  }

  isSelected(id: string): boolean {
    return this.#picked.has(id);
  }

  move(key: Parameters<typeof moved>[3], extend: boolean): void {
    const from = this.active;
    this.active = moved(this.rows, from, this.#place, key);
    this.#place = this.rows.findIndex((row) => row.key === this.active);
    if (!extend) return;
    for (const id of [from, this.active]) {
      if (id && !this.#picked.has(id) && this.#sessions.get(id)) this.toggle(id);
    }
  }

  toggle(id: string): void {
    this.#picked = select(this.rows, this.#picked, id, 'toggle', null);
    this.#anchor = id;
  }

  range(id: string): void {
    this.#picked = select(this.rows, this.#picked, id, 'range', this.#anchor ?? this.active);
    this.#anchor = id;
  }

  selectAll(): void {
    this.#picked = new Set(this.visible.map((session) => session.id));
  }

  clear(): void {
    this.#picked = new Set();
    this.#anchor = null;
  }

  collapse(standing: string, collapsed: boolean): void {
    this.#desk.change((settings) => {
      const rest = settings.collapsed.filter((one) => one !== standing);
      settings.collapsed = collapsed ? [...rest, standing] : rest;
    });
  }

  /** What the keys act on: the selection, or else the row that they are on. */
  targets(): Session[] {
    if (this.selected.length > 0) return this.selected;
    const one = this.active ? this.#sessions.get(this.active) : undefined;
    return one ? [one] : [];
  }
}
