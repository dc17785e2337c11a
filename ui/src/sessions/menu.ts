import type { App } from '../app/context.ts';
import { keyNames } from '../keys/keys.ts';
import type { MenuItem } from '../parts/menu.ts';
import type { Session } from '../api/types.ts';
import { canArchive, canStart, canStop } from './deeds.ts';

/** What the menu of one session, or of a selection, offers. */
export function sessionMenu(app: App, list: readonly Session[]): MenuItem[] {
  const { deeds, actions, shell, router } = app;
  const keys = (id: string) => keyNames(actions.keysFor(id), shell.keys);
  const [first] = list;
  if (!first) return [];
  const one = list.length === 1;
  const pinned = list.every((session) => session.pinned);
  const here = router.route;
  const items: (MenuItem | false)[] = [
    one && { id: 'open', label: 'Open', icon: 'terminal', run: () => router.openSession(first.id) },
    one &&
      here.page === 'session' &&
      here.id !== first.id && { id: 'beside', label: 'Open beside', icon: 'split', run: () => router.go({ ...here, tab: 'terminal', beside: first.id }) },
    one && { id: 'rename', label: 'Rename…', icon: 'edit', keys: keys('session.rename'), run: () => app.ask.rename(first) },
    { id: 'pin', label: pinned ? 'Unpin' : 'Pin', icon: 'pin', keys: keys('session.pin'), run: () => void deeds.pin(list, !pinned) },
    one && { id: 'notify', label: first.notify ? 'Mute notifications' : 'Notify me again', icon: first.notify ? 'bell-off' : 'bell', run: () => void deeds.notify(first, !first.notify) },
    { kind: 'line', id: 'line-1' },
    list.some(canStart) && { id: 'start', label: 'Start', icon: 'play', run: () => void deeds.start(list) },
    list.some(canStop) && { id: 'stop', label: 'Stop', icon: 'stop', run: () => void deeds.stop(list) },
    one && { id: 'recreate', label: 'Recreate sandbox', icon: 'refresh', disabled: first.standing === 'archived', run: () => app.ask.recreate(first) },
    one && { id: 'fork', label: 'Fork…', icon: 'branch', disabled: first.state === 'creating', run: () => app.ask.fork(first) },
    one && { id: 'copy-branch', label: 'Copy branch name', icon: 'copy', run: () => void copy(app, first.branch) },
    { kind: 'line', id: 'line-2' },
    list.some(canArchive) && { id: 'archive', label: 'Archive', icon: 'archive', keys: keys('session.archive'), run: () => void deeds.archive(list) },
    list.some((session) => session.standing === 'archived') && { id: 'unarchive', label: 'Take out of the archive', icon: 'undo', run: () => void deeds.unarchive(list) },
    { id: 'delete', label: 'Delete', icon: 'trash', danger: true, keys: keys('session.delete'), run: () => void deeds.delete(list) },
  ];
  return items.filter((item) => item !== false);
}

async function copy(app: App, text: string): Promise<void> {
  try {
    await app.shell.copy(text);
    app.toasts.say('Copied.');
  } catch (thrown) {
    app.toasts.fail(thrown);
  }
}
