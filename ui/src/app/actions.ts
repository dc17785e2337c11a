// Everything that the person can do from anywhere, once.

import type { Action } from '../keys/registry.svelte.ts';
import { canArchive, canStart, canStop } from '../sessions/deeds.ts';
import { settingsPages, type SessionTab } from '../state/route.ts';
import { settingsNames } from '../settings/names.ts';
import type { Session } from '../api/types.ts';
import type { App } from './context.ts';

export function globalActions(app: App): Action[] {
  return [...general(app), ...ofSession(app), ...ofList(app), ...places(app)];
}

function general({ ask, deeds, sessions, desk }: App): Action[] {
  return [
    { id: 'palette', title: 'Command palette', group: 'General', icon: 'command', keys: 'Mod+K', hidden: true, run: ask.palette },
    { id: 'palette.anywhere', title: 'Command palette, from a terminal too', group: 'General', keys: 'Mod+Shift+P', hidden: true, run: ask.palette },
    { id: 'session.new', title: 'New session…', group: 'General', icon: 'plus', keys: 'Mod+N', words: 'create agent', run: () => ask.create() },
    { id: 'session.new.letter', title: 'New session, by its letter', group: 'General', keys: 'N', hidden: true, run: () => ask.create() },
    { id: 'session.quick', title: 'Quick start: a prompt on the last repository…', group: 'General', icon: 'bolt', keys: 'Shift+N', words: 'create new', run: () => ask.quickStart() },
    { id: 'keys.show', title: 'Show keyboard shortcuts', group: 'General', icon: 'keyboard', keys: '?', words: 'help', run: ask.keys },
    { id: 'network.pause', title: 'Pause all network', group: 'General', icon: 'held', words: 'egress hold stop', when: () => !sessions.paused, run: () => void deeds.setPaused(true) },
    { id: 'network.resume', title: 'Let the network go on', group: 'General', icon: 'globe', words: 'egress resume', when: () => sessions.paused, run: () => void deeds.setPaused(false) },
    ...(['system', 'light', 'dark', 'contrast'] as const).map((appearance): Action => {
      const word = { system: 'as the system', light: 'light', dark: 'dark', contrast: 'high contrast' }[appearance];
      const icon = ({ system: 'display', light: 'sun', dark: 'moon', contrast: 'contrast' } as const)[appearance];
      return { id: `appearance.${appearance}`, title: `Appearance: ${word}`, group: 'View', icon, words: 'theme colours', run: () => desk.change((settings) => (settings.appearance = appearance)) };
    }),
    { id: 'view.sidebar', title: 'Show or hide the sidebar', group: 'View', icon: 'sidebar', keys: 'Mod+B', run: () => desk.change((settings) => (settings.sidebar.hidden = !settings.sidebar.hidden)) },
  ];
}

function ofSession(app: App): Action[] {
  const { ask, deeds, list, router, sessions } = app;
  // On a session's page that session; in the list what is selected or under the keys.
  const targets = (): Session[] => {
    const { route } = router;
    const one = route.page === 'session' ? sessions.get(route.id) : undefined;
    return one ? [one] : route.page === 'sessions' ? list.targets() : [];
  };
  const any = (test: (session: Session) => boolean = () => true) => () => targets().some(test);
  const single = () => targets().length === 1;
  const first = (act: (session: Session) => void) => () => targets().slice(0, 1).forEach(act);
  const tab = (to: SessionTab, title: string, keys: string, icon: Action['icon']): Action => ({
    id: `tab.${to}`,
    title,
    group: 'Session',
    icon,
    keys,
    when: () => router.route.page === 'session',
    run: () => {
      const { route } = router;
      if (route.page === 'session') router.go({ ...route, tab: to });
    },
  });
  return [
    tab('chat', 'Show the chat', 'C', 'chat'),
    tab('terminal', 'Show the terminal', '`', 'terminal'),
    tab('files', 'Show the files', 'Shift+F', 'folder'),
    tab('diff', 'Show the diff', 'Shift+D', 'diff'),
    tab('info', 'Show the session’s info', 'Shift+I', 'info'),
    { id: 'session.rename', title: 'Rename session…', group: 'Session', icon: 'edit', keys: 'F2', when: single, run: first(ask.rename) },
    { id: 'session.pin', title: 'Pin or unpin session', group: 'Session', icon: 'pin', keys: 'P', when: any(), run: () => void deeds.pin(targets(), !targets().every((one) => one.pinned)) },
    { id: 'session.start', title: 'Start session', group: 'Session', icon: 'play', when: any(canStart), run: () => void deeds.start(targets()) },
    { id: 'session.stop', title: 'Stop session', group: 'Session', icon: 'stop', when: any(canStop), run: () => void deeds.stop(targets()) },
    { id: 'session.recreate', title: 'Recreate the sandbox…', group: 'Session', icon: 'refresh', when: single, run: first(ask.recreate) },
    { id: 'session.fork', title: 'Fork session…', group: 'Session', icon: 'branch', words: 'copy branch conversation duplicate', when: single, run: first(ask.fork) },
    { id: 'session.archive', title: 'Archive session', group: 'Session', icon: 'archive', keys: 'E', when: any(canArchive), run: () => void deeds.archive(targets()) },
    { id: 'session.delete', title: 'Delete session', group: 'Session', icon: 'trash', keys: 'Delete', when: any(), run: () => void deeds.delete(targets()) },
  ];
}

function ofList({ list, router }: App): Action[] {
  const step = (by: number) => () => {
    const { route } = router;
    const at = route.page === 'session' ? list.visible.findIndex((one) => one.id === route.id) : -1;
    const next = list.visible[(at + by + list.visible.length) % list.visible.length];
    if (next) router.openSession(next.id);
  };
  return [
    { id: 'list.filter', title: 'Filter sessions', group: 'List', icon: 'filter', keys: '/', run: () => document.querySelector<HTMLInputElement>('[data-filter]')?.focus() },
    { id: 'list.next', title: 'Next session', group: 'List', icon: 'down', keys: 'Mod+]', run: step(1) },
    { id: 'list.previous', title: 'Previous session', group: 'List', icon: 'up', keys: 'Mod+[', run: step(-1) },
    ...Array.from({ length: 9 }, (_, index): Action => ({
      id: `list.${index + 1}`,
      title: `Open session ${index + 1} of the list`,
      group: 'List',
      keys: String(index + 1),
      hidden: true,
      run: () => {
        const session = list.visible[index];
        if (session) router.openSession(session.id);
      },
    })),
  ];
}

function places({ router }: App): Action[] {
  return [
    { id: 'go.sessions', title: 'All sessions', group: 'Go to', icon: 'list', keys: 'G', run: () => router.go({ page: 'sessions' }) },
    { id: 'go.settings', title: 'Settings', group: 'Go to', icon: 'settings', keys: 'Mod+,', run: () => router.go({ page: 'settings', section: 'accounts' }) },
    ...settingsPages.map((section): Action => ({
      id: `go.settings.${section}`,
      title: `Settings: ${settingsNames[section].label}`,
      group: 'Go to',
      icon: settingsNames[section].icon,
      words: settingsNames[section].words,
      run: () => router.go({ page: 'settings', section }),
    })),
    { id: 'go.setup', title: 'Set up this machine', group: 'Go to', icon: 'shield', words: 'first run doctor welcome', run: () => router.go({ page: 'setup' }) },
  ];
}
