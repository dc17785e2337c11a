import type { Client } from '../api/client.ts';
import { UploadsModel } from './model.svelte.ts';

const all = new WeakMap<Client, UploadsModel>();

/** The uploads of the window that talks through `client`: they go on while other sessions are looked at. */
export function uploadsOf(client: Client): UploadsModel {
  const found = all.get(client);
  if (found !== undefined) return found;
  const made = new UploadsModel(client);
  all.set(client, made);
  return made;
}
