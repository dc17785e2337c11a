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
  #reading: Promise<void> | undefined;
  /** What was changed before it was known what was kept; none once it is known. */
  #early: ((settings: DeskSettings) => void)[] | null = [];
  settings = $state<DeskSettings>(structuredClone(defaults));
  /** Whether what was kept has been read, or could not be. */
  ready = $state(false);

  constructor(client: Pick<Client, 'desk' | 'saveDesk'>) {
    this.#client = client;
  }

  async load(): Promise<void> {
    try {
      await this.#read();
    } catch {
      // The defaults serve until the daemon answers.
    }
    this.ready = true;
  }

  /** Reads what was kept, once, and lays over it what was changed meanwhile. */
  #read(): Promise<void> {
    this.#reading ??= this.#client.desk().then(
      (kept) => {
        const settings = read(kept);
        for (const change of this.#early ?? []) change(settings);
        this.#early = null;
        this.settings = settings;
      },
      (error: unknown) => {
        this.#reading = undefined;
        throw error;
      },
    );
    return this.#reading;
  }

  /** Changes settings and remembers them. */
  change(change: (settings: DeskSettings) => void): void {
    change(this.settings);
    this.#early?.push(change);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), SAVE_AFTER);
  }

  /** Saves what was changed. What was not read is not written over. */
  async flush(): Promise<void> {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      await this.#read();
      await this.#client.saveDesk($state.snapshot(this.settings) as unknown as WireDesk);
    } catch {
      this.#timer ??= setTimeout(() => void this.flush(), AGAIN);
    }
  }
}
