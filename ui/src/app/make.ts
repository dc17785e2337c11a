import type { Client } from '../api/client.ts';
import { ApiError } from '../api/error.ts';
import { Registry } from '../keys/registry.svelte.ts';
import { Deeds } from '../sessions/deeds.ts';
import { ListModel } from '../sessions/model.svelte.ts';
import type { Shell } from '../shell/shell.ts';
import { Clock } from '../state/clock.svelte.ts';
import { Desk } from '../state/desk.svelte.ts';
import { firstTab } from '../state/route.ts';
import { Router } from '../state/router.svelte.ts';
import { Sessions } from '../state/sessions.svelte.ts';
import { Toasts } from '../state/toasts.svelte.ts';
import { Drops } from '../uploads/drops.ts';
import type { App } from './context.ts';
import { Dialogs } from './dialogs.svelte.ts';

/** Puts the page's parts together; nothing is asked of the daemon yet. */
export function makeApp(client: Client, shell: Shell): App {
  const desk = new Desk(client);
  const sessions = new Sessions(() => client.events(), () => client.daemon().then(() => false, (thrown: unknown) => thrown instanceof ApiError && thrown.code === 'signed_out'));
  const router = new Router((id) => firstTab(sessions.get(id)));
  const toasts = new Toasts();
  return {
    client,
    shell,
    desk,
    sessions,
    router,
    toasts,
    actions: new Registry(shell.keys, () => desk.settings.shortcuts),
    list: new ListModel(sessions, desk),
    deeds: new Deeds(client, sessions, router, toasts),
    ask: new Dialogs(),
    clock: new Clock(),
    drops: new Drops(window, shell),
  };
}
