// Which sessions are shown, in which order and under which heading. Values in, values out.

import type { Session, Standing } from '../api/types.ts';
import { badge, groups, titleOf } from '../state/standing.ts';

export type Row =
  | { kind: 'group'; key: string; standing: Standing; label: string; count: number; collapsed: boolean }
  | { kind: 'session'; key: string; session: Session; place: number; of: number };

/** The last part of a path. */
export function folderName(path: string): string {
  return path.split('/').filter(Boolean).at(-1) ?? path;
}

export function agentName(session: Pick<Session, 'agent'>): string {
  return session.agent === 'claude' ? 'Claude' : 'Codex';
}

export function runtimeName(backend: Session['backend']): string {
  switch (backend) {
    case 'docker':
      return 'Docker';
    case 'bubblewrap':
      return 'Bubblewrap';
    case 'fake':
      return 'Fake';
  }
}

/** Whether every word of the filter stands somewhere in what is known about the session. */
export function matches(session: Session, filter: string): boolean {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const text = [
    titleOf(session),
    session.name,
    session.id,
    // Every branch begins so; "claude" would find them all.
    session.branch.replace(/^clauderon\//, ''),
    folderName(session.repository),
    agentName(session),
    runtimeName(session.backend),
    badge(session).word,
    groups.find((one) => one.standing === session.standing)?.label ?? '',
    session.last_line ?? '',
  ]
    .join('\n')
    .toLowerCase();
  return words.every((word) => text.includes(word));
}

/** Pinned ones first, then the newest: an order that does not jump while agents work. */
function order(a: Session, b: Session): number {
  return Number(b.pinned) - Number(a.pinned) || b.created_ms - a.created_ms || a.id.localeCompare(b.id);
}

/** The rows of the list. A filter opens every group, so that nothing found stays hidden. */
export function rows(sessions: readonly Session[], filter: string, collapsed: readonly string[]): Row[] {
  const found = sessions.filter((session) => matches(session, filter));
  const filtering = filter.trim() !== '';
  return groups.flatMap(({ standing, label }) => {
    const members = found.filter((session) => session.standing === standing).sort(order);
    if (members.length === 0) return [];
    const closed = !filtering && collapsed.includes(standing);
    const head: Row = { kind: 'group', key: `group:${standing}`, standing, label, count: members.length, collapsed: closed };
    if (closed) return [head];
    return [head, ...members.map((session, index): Row => ({ kind: 'session', key: session.id, session, place: index + 1, of: members.length }))];
  });
}

/** The sessions in the order of the rows, for 1 to 9 and for "next". */
export function visible(list: readonly Row[]): Session[] {
  return list.flatMap((row) => (row.kind === 'session' ? [row.session] : []));
}

/** Where an arrow leads; the ends hold. `place` is where `from` stood, should it have gone meanwhile. */
export function moved(list: readonly Row[], from: string | null, place: number, key: 'ArrowUp' | 'ArrowDown' | 'Home' | 'End' | 'PageUp' | 'PageDown'): string | null {
  if (list.length === 0) return null;
  const found = list.findIndex((row) => row.key === from);
  const at = found >= 0 ? found : place;
  const target = {
    ArrowUp: at - 1,
    // What stood after a row that has gone stands in its place.
    ArrowDown: found >= 0 ? at + 1 : Math.max(0, place),
    Home: 0,
    End: list.length - 1,
    PageUp: at - 10,
    PageDown: at + 10,
  }[key];
  return list[Math.min(list.length - 1, Math.max(0, target))]?.key ?? null;
}

/** The selection after a click on `id`: alone, added or taken (`toggle`), or all from the anchor to it (`range`). */
export function select(
  list: readonly Row[],
  selected: ReadonlySet<string>,
  id: string,
  how: 'toggle' | 'range',
  anchor: string | null,
): ReadonlySet<string> {
  const next = new Set(selected);
  if (how === 'range' && anchor !== null) {
    const ids = visible(list).map((session) => session.id);
    const [a, b] = [ids.indexOf(anchor), ids.indexOf(id)];
    if (a >= 0 && b >= 0) {
      for (const one of ids.slice(Math.min(a, b), Math.max(a, b) + 1)) next.add(one);
      return next;
    }
  }
  if (!next.delete(id)) next.add(id);
  return next;
}

/** Which rows lie in the window, with some to spare above and below. */
export function windowOf(heights: readonly number[], top: number, height: number, spare: number): { from: number; to: number; before: number; total: number } {
  let before = 0;
  let from = 0;
  while (from < heights.length && before + (heights[from] ?? 0) <= top - spare) before += heights[from++] ?? 0;
  let to = from;
  let end = before;
  while (to < heights.length && end < top + height + spare) end += heights[to++] ?? 0;
  let total = end;
  for (let index = to; index < heights.length; index++) total += heights[index] ?? 0;
  return { from, to, before, total };
}
