// The conversation as rows: sub-agents within the call that began them, long runs of finished tools under one line.

import type { Item, ItemId, ToolDetail } from '../api/types.ts';

export type ToolItem = Item & { kind: 'tool' };

export type Row =
  | { key: string; kind: 'item'; item: Item; depth: number; open: boolean; inside: number }
  | { key: string; kind: 'group'; tools: readonly ToolItem[]; depth: number; open: boolean };

/** As many finished calls in a row stand under one line. */
const RUN = 4;

/** What the person opened or closed; what is not in it is as it begins. */
export type Folds = ReadonlyMap<string, boolean>;

/** Makes the rows. A row that says the same as one of `before` is that one, so that nothing draws it again. */
export function rowsOf(items: readonly Item[], folds: Folds, before: readonly Row[] = []): Row[] {
  const known = new Set(items.map(({ id }) => id));
  const within = new Map<ItemId | null, Item[]>();
  for (const item of items) {
    // Where the parent is not shown, as at the start of a page, its items stand in the open.
    const parent = item.parent !== null && known.has(item.parent) && item.parent !== item.id ? item.parent : null;
    const list = within.get(parent);
    if (list === undefined) within.set(parent, [item]);
    else list.push(item);
  }
  const old = new Map(before.map((row) => [row.key, row]));
  const out: Row[] = [];
  level(within, null, 0, folds, out);
  return out.map((row) => {
    const same = old.get(row.key);
    return same !== undefined && equal(same, row) ? same : row;
  });
}

function level(within: ReadonlyMap<ItemId | null, readonly Item[]>, parent: ItemId | null, depth: number, folds: Folds, out: Row[]): void {
  const items = within.get(parent) ?? [];
  for (let at = 0; at < items.length;) {
    const run = toolsFrom(items, at);
    if (run.length >= RUN) {
      const key = `group:${run[0]?.id}`;
      const open = folds.get(key) ?? false;
      out.push({ key, kind: 'group', tools: run, depth, open });
      if (open) for (const item of run) one(within, item, depth + 1, folds, out);
      at += run.length;
      continue;
    }
    const item = items[at];
    if (item !== undefined) one(within, item, depth, folds, out);
    at += 1;
  }
}

function one(within: ReadonlyMap<ItemId | null, readonly Item[]>, item: Item, depth: number, folds: Folds, out: Row[]): void {
  const inside = within.get(item.id)?.length ?? 0;
  const open = folds.get(item.id) ?? opens(item);
  out.push({ key: item.id, kind: 'item', item, depth, open, inside });
  // A chain of parents that leads back to itself would never end.
  if (inside > 0 && open && depth < 12) level(within, item.id, depth + 1, folds, out);
}

/** A sub-agent at work is open; what has ended is closed, except what a person has to read. */
function opens(item: Item): boolean {
  switch (item.kind) {
    case 'agent':
      return item.state === 'running' || item.state === 'streaming';
    case 'tool':
      return item.detail.does === 'edit' && item.state !== 'failed';
    case 'thinking':
    case 'compaction':
    case 'raw':
      return false;
    default:
      return true;
  }
}

/** The finished calls that follow each other; an edit is worth its own place, and so is what failed. */
function toolsFrom(items: readonly Item[], from: number): ToolItem[] {
  const out: ToolItem[] = [];
  for (const item of items.slice(from, from + 1000)) {
    if (item.kind !== 'tool' || item.state !== 'done' || item.detail.does === 'edit') break;
    out.push(item);
  }
  return out;
}

function equal(one: Row, other: Row): boolean {
  if (one.depth !== other.depth || one.open !== other.open) return false;
  if (one.kind === 'item') return other.kind === 'item' && one.item === other.item && one.inside === other.inside;
  return other.kind === 'group' && one.tools.length === other.tools.length && one.tools.every((tool, at) => tool === other.tools[at]);
}

const WORDS: Record<ToolDetail['does'], [string, string]> = {
  command: ['command', 'commands'],
  edit: ['edit', 'edits'],
  read: ['read', 'reads'],
  search: ['search', 'searches'],
  web: ['page', 'pages'],
  other: ['other call', 'other calls'],
};

/** What a run of tools did, in a line: "3 reads, 2 commands". */
export function groupTitle(tools: readonly ToolItem[]): string {
  const counts = new Map<ToolDetail['does'], number>();
  for (const { detail } of tools) counts.set(detail.does, (counts.get(detail.does) ?? 0) + 1);
  return [...counts].map(([does, count]) => `${count} ${WORDS[does][count === 1 ? 0 : 1]}`).join(', ');
}

/** Whether something outside the sandbox saw it; anything else is the agent's own word. */
export function seenOutside(item: Pick<Item, 'seen'>): boolean {
  return item.seen.some((source) => source === 'tap' || source === 'daemon');
}
