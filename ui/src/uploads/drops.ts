// Files that are dragged over the page, told by the browser or by the native window. They go to the part of the page that was shown
// last; where none takes files nothing happens, and a browser does not open them in the page's place.

import type { Shell } from '../shell/shell.ts';
import { dropped } from './dropped.ts';
import type { Item } from './model.svelte.ts';

/** A part of the page that takes files. */
export interface Taker {
  /** Whether it takes any now. */
  takes(): boolean;
  /** They are over the page, or no more. */
  over(here: boolean): void;
  take(items: readonly Item[]): void;
}

export class Drops {
  #takers: Taker[] = [];
  #entered = 0;
  #end = new AbortController();
  #stopNative: () => void;

  constructor(page: EventTarget, shell: Pick<Shell, 'onDrop' | 'readDropped'>) {
    const hear = (name: string, act: (event: DragEvent, carried: DataTransfer) => void): void =>
      page.addEventListener(
        name,
        (event) => {
          const carried = (event as DragEvent).dataTransfer;
          if (carried?.types.includes('Files')) act(event as DragEvent, carried);
        },
        { signal: this.#end.signal },
      );
    hear('dragenter', (event) => {
      event.preventDefault();
      this.#entered += 1;
      this.#top?.over(true);
    });
    hear('dragleave', () => {
      this.#entered = Math.max(0, this.#entered - 1);
      if (this.#entered === 0) this.#top?.over(false);
    });
    hear('dragover', (event, carried) => {
      event.preventDefault();
      carried.dropEffect = this.#top?.takes() ? 'copy' : 'none';
    });
    hear('drop', (event, carried) => {
      event.preventDefault();
      this.#entered = 0;
      this.#drop(dropped(carried));
    });
    // The native window hears of drops itself, and reads only what was dropped.
    this.#stopNative = shell.onDrop((drop) => {
      if (drop.kind === 'drop') this.#drop(drop.files.map((file) => ({ ...file, blob: () => shell.readDropped(file.path) })));
      else this.#top?.over(drop.kind === 'over');
    });
  }

  /** Has files go to `taker` until the return value is called, or somebody comes after it. */
  to(taker: Taker): () => void {
    this.#takers.push(taker);
    return () => (this.#takers = this.#takers.filter((one) => one !== taker));
  }

  dispose(): void {
    this.#end.abort();
    this.#stopNative();
  }

  get #top(): Taker | undefined {
    return this.#takers.at(-1);
  }

  #drop(items: readonly Item[]): void {
    this.#top?.over(false);
    if (this.#top?.takes() && items.length > 0) this.#top.take(items);
  }
}
