import type { Client } from '../api/client.ts';
import type { Desk as WireDesk } from '../api/types.ts';
import { defaults, read, type DeskSettings } from './desk.ts';

const SAVE_AFTER = 400;
/** How long to wait before settings are saved again that could not be: the disk is full, or the daemon away. */
const AGAIN = 5000;

/** The remembered settings. They are shown at once and saved a moment later. */
export class Desk {
  #client: Pick<Client, 'desk' | 'saveDesk'>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  settings = $state<DeskSettings>(structuredClone(defaults));
  /** Whether what was kept has been read, or could not be. */
  ready = $state(false);

  constructor(client: Pick<Client, 'desk' | 'saveDesk'>) {
    this.#client = client;
  }

  async load(): Promise<void> {
    try {
      this.settings = read(await this.#client.desk());
    } catch {
      // The defaults serve until the daemon answers.
    }
    this.ready = true;
  }

  /** Changes settings and remembers them. */
  change(change: (settings: DeskSettings) => void): void {
    change(this.settings);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), SAVE_AFTER);
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      await this.#client.saveDesk($state.snapshot(this.settings) as unknown as WireDesk);
    } catch {
      this.#timer ??= setTimeout(() => void this.flush(), AGAIN);
    }
  }
}
