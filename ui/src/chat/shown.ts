// What a conversation's socket says, as values. No connection, no clock.

import type { ConversationEvent, ConversationStanding, ConversationView, Item, ItemId, MessageView, TurnSum } from '../api/types.ts';

/** The part of a conversation that is shown. */
export interface Shown {
  /** The number of the latest change that is in it. */
  number: number;
  /** In the order in which they are shown. */
  items: readonly Item[];
  /** Whether there are earlier ones than the first. */
  earlier: boolean;
  standing: ConversationStanding;
  turns: ReadonlyMap<ItemId | null, TurnSum>;
  /** What was sent lately, oldest first. */
  messages: readonly MessageView[];
}

/** What is shown after `event`; news of something that was never shown tell nothing. */
export function after(shown: Shown | undefined, event: ConversationEvent): Shown | undefined {
  if (event.type === 'state') {
    return {
      number: event.number,
      items: [...event.items].sort(order),
      earlier: event.earlier,
      standing: event.standing,
      turns: new Map(event.turns.map((sum) => [sum.turn, sum])),
      messages: event.messages,
    };
  }
  if (shown === undefined || event.number < shown.number) return shown;
  const [first] = shown.items;
  // What stands before the first item comes with its page; alone it would leave a gap that nobody sees.
  const near = shown.earlier && first !== undefined ? event.items.filter((item) => order(item, first) >= 0) : event.items;
  return {
    number: event.number,
    items: merged(shown.items, near, event.removed),
    earlier: shown.earlier,
    standing: event.standing,
    turns: event.turns.length === 0 ? shown.turns : new Map([...shown.turns, ...event.turns.map((sum) => [sum.turn, sum] as const)]),
    messages: event.messages ?? shown.messages,
  };
}

/** What is shown with an earlier page before it. `removed` went while the page was on its way. */
export function withEarlier(shown: Shown, page: ConversationView, removed: ReadonlySet<ItemId>): Shown {
  const known = new Set(shown.items.map(({ id }) => id));
  // What is shown already is newer than the page.
  const fresh = page.items.filter(({ id }) => !known.has(id) && !removed.has(id));
  return {
    ...shown,
    items: merged(shown.items, fresh, []),
    earlier: page.earlier,
    turns: new Map([...page.turns.map((sum) => [sum.turn, sum] as const), ...shown.turns]),
  };
}

/** Items with others laid over them: the same id is replaced, what is new takes its place, the removed go. */
export function merged(items: readonly Item[], changed: readonly Item[], removed: readonly ItemId[]): readonly Item[] {
  if (changed.length === 0 && removed.length === 0) return items;
  const gone = new Set([...removed, ...changed.map(({ id }) => id)]);
  const kept = items.filter(({ id }) => !gone.has(id));
  const last = new Map(changed.map((item) => [item.id, item]));
  for (const id of removed) last.delete(id);
  const added = [...last.values()].sort(order);
  const out: Item[] = [];
  let next = 0;
  for (const item of kept) {
    for (let one = added[next]; one !== undefined && order(one, item) < 0; one = added[(next += 1)]) out.push(one);
    out.push(item);
  }
  out.push(...added.slice(next));
  return out;
}

export function order(one: Pick<Item, 'order' | 'id'>, other: Pick<Item, 'order' | 'id'>): number {
  if (one.order !== other.order) return one.order - other.order;
  return one.id < other.id ? -1 : Number(one.id > other.id);
}
