import { getContext } from 'svelte';
import type { Client } from '../api/client.ts';
import type { Dialogs } from './dialogs.svelte.ts';
import type { Registry } from '../keys/registry.svelte.ts';
import type { Shell } from '../shell/shell.ts';
import type { Deeds } from '../sessions/deeds.ts';
import type { ListModel } from '../sessions/model.svelte.ts';
import type { Desk } from '../state/desk.svelte.ts';
import type { Clock } from '../state/clock.svelte.ts';
import type { Router } from '../state/router.svelte.ts';
import type { Sessions } from '../state/sessions.svelte.ts';
import type { Toasts } from '../state/toasts.svelte.ts';
import type { Drops } from '../uploads/drops.ts';

/** What every component may reach. Each thing has one owner: the app. */
export interface App {
  client: Client;
  shell: Shell;
  sessions: Sessions;
  desk: Desk;
  router: Router;
  toasts: Toasts;
  actions: Registry;
  list: ListModel;
  deeds: Deeds;
  ask: Dialogs;
  clock: Clock;
  drops: Drops;
}

const KEY = Symbol('app');

/** The context that the page is mounted with. */
export function contextOf(app: App): Map<symbol, App> {
  return new Map([[KEY, app]]);
}

export function useApp(): App {
  return getContext<App>(KEY);
}

export function useShell(): Shell {
  return useApp().shell;
}
