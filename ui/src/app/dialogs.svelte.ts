import type { Session } from '../api/types.ts';

/** The one dialog that is open, if any. */
export type OpenDialog =
  | { kind: 'create'; quick: boolean; repository: string | null }
  | { kind: 'palette' }
  | { kind: 'keys' }
  | { kind: 'rename'; session: Session }
  | { kind: 'recreate'; session: Session }
  | { kind: 'fork'; session: Session };

export class Dialogs {
  open = $state.raw<OpenDialog | null>(null);

  create = (repository: string | null = null) => this.#show({ kind: 'create', quick: false, repository });
  quickStart = (repository: string | null = null) => this.#show({ kind: 'create', quick: true, repository });
  palette = () => this.#show({ kind: 'palette' });
  keys = () => this.#show({ kind: 'keys' });
  rename = (session: Session) => this.#show({ kind: 'rename', session });
  recreate = (session: Session) => this.#show({ kind: 'recreate', session });
  fork = (session: Session) => this.#show({ kind: 'fork', session });

  close(): void {
    this.open = null;
  }

  #show(dialog: OpenDialog): void {
    this.open = dialog;
  }
}
