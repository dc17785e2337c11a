// The address after the `#`, as a value.

import type { Session } from '../api/types.ts';

export const sessionTabs = ['chat', 'terminal', 'files', 'diff', 'info'] as const;
export type SessionTab = (typeof sessionTabs)[number];

/** What is shown of a session at first: its chat, where there is somebody to talk to. */
export function firstTab(session: Pick<Session, 'mode' | 'demo'> | undefined): SessionTab {
  return session?.mode === 'print' || session?.demo === true ? 'terminal' : 'chat';
}

export const settingsPages = ['accounts', 'usage', 'appearance', 'shortcuts', 'defaults', 'notifications', 'storage', 'doctor', 'about'] as const;
export type SettingsPage = (typeof settingsPages)[number];

export type Route =
  | { page: 'sessions' }
  | { page: 'session'; id: string; tab: SessionTab; beside: string | null }
  | { page: 'settings'; section: SettingsPage }
  | { page: 'setup' };

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?');
  const [first, second, third] = path.split('/').map(decodeURIComponent);
  if (first === 'session' && second) {
    const tab = sessionTabs.find((one) => one === third) ?? 'chat';
    return { page: 'session', id: second, tab, beside: new URLSearchParams(query).get('beside') };
  }
  if (first === 'settings') return { page: 'settings', section: settingsPages.find((one) => one === second) ?? 'accounts' };
  if (first === 'setup') return { page: 'setup' };
  return { page: 'sessions' };
}

export function hashFor(route: Route): string {
  switch (route.page) {
    case 'sessions':
      return '#/';
    case 'setup':
      return '#/setup';
    case 'settings':
      return `#/settings/${route.section}`;
    case 'session': {
      const beside = route.beside ? `?beside=${encodeURIComponent(route.beside)}` : '';
      return `#/session/${encodeURIComponent(route.id)}/${route.tab}${beside}`;
    }
  }
}
