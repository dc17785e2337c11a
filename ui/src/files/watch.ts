// What changes in a session's workspace, as the daemon hears of it; connected again by itself.

import type { Client } from '../api/client.ts';
import type { Socket } from '../api/transport.ts';
import type { FilesChanged } from '../api/types.ts';
import { backoff } from '../terminal/backoff.ts';

export interface WatchListener {
  changed(change: FilesChanged): void;
  /** Whether changes are heard of now. */
  live?(live: boolean): void;
}

export class Watch {
  #socket: Socket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #opened = false;

  constructor(
    private readonly client: Pick<Client, 'fileEvents'>,
    private readonly session: string,
    private readonly listener: WatchListener,
  ) {
    this.#open();
  }

  dispose(): void {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #open(): void {
    const socket = this.client.fileEvents(this.session);
    this.#socket = socket;
    socket.onopen = () => {
      if (this.#socket !== socket) return;
      this.#attempt = 0;
      this.listener.live?.(true);
      // What happened while nobody listened is not told again.
      if (this.#opened) this.listener.changed({ folders: [], git: true });
      this.#opened = true;
    };
    socket.onmessage = (message) => {
      if (this.#socket === socket && typeof message === 'string') this.listener.changed(JSON.parse(message) as FilesChanged);
    };
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.listener.live?.(false);
      this.#timer = setTimeout(() => this.#open(), 4 * backoff(this.#attempt, Math.random()));
      this.#attempt += 1;
    };
  }
}
