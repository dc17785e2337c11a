// One session's conversation as the daemon tells it: the newest part first, then each change; connected again by itself.

import type { Client } from '../api/client.ts';
import { shown as error, type ApiError } from '../api/error.ts';
import type { Socket } from '../api/transport.ts';
import type { ConversationEvent, ItemId } from '../api/types.ts';
import { backoff } from '../terminal/backoff.ts';
import { after, type Shown, withEarlier } from './shown.ts';

/** Whether changes are heard of now. */
export type Hearing = 'connecting' | 'live' | 'lost';

const FRAME = 16;

export class Conversation {
  #socket: Socket | undefined;
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #frame: ReturnType<typeof setTimeout> | undefined;
  #next: Shown | undefined;
  /** Counts the whole states: a page that was asked for before one belongs to another conversation. */
  #state = 0;
  #removed = new Set<ItemId>();
  #ended = false;

  shown = $state.raw<Shown>();
  hearing = $state.raw<Hearing>('connecting');
  paging = $state(false);
  /** Why the last page did not come. */
  pageFault = $state.raw<ApiError>();

  constructor(
    private readonly client: Pick<Client, 'conversation' | 'conversationEvents'>,
    private readonly session: string,
  ) {
    this.#open();
  }

  dispose(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#frame);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  /** Fetches the page before the first item that is shown. */
  async earlier(): Promise<void> {
    const first = this.#latest?.items[0];
    if (this.paging || first === undefined || this.#latest?.earlier !== true) return;
    this.paging = true;
    this.pageFault = undefined;
    this.#removed.clear();
    const asked = this.#state;
    try {
      const page = await this.client.conversation(this.session, { before: first.id });
      if (this.#latest !== undefined && asked === this.#state && !this.#ended) this.#show(withEarlier(this.#latest, page, this.#removed));
    } catch (thrown) {
      this.pageFault = error(thrown);
    } finally {
      this.paging = false;
    }
  }

  get #latest(): Shown | undefined {
    return this.#next ?? this.shown;
  }

  #open(): void {
    const socket = this.client.conversationEvents(this.session);
    this.#socket = socket;
    socket.onmessage = (message) => {
      if (this.#socket === socket && typeof message === 'string') this.#take(JSON.parse(message) as ConversationEvent);
    };
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.hearing = 'lost';
      this.#timer = setTimeout(() => this.#open(), backoff(this.#attempt, Math.random()));
      this.#attempt += 1;
    };
  }

  #take(event: ConversationEvent): void {
    if (event.type === 'state') {
      this.#attempt = 0;
      this.#state += 1;
      this.hearing = 'live';
    } else if (this.paging) {
      for (const id of event.removed) this.#removed.add(id);
    }
    const now = after(this.#latest, event);
    if (now !== undefined) this.#show(now);
  }

  /** Shows at most one state a frame, however fast the words come. */
  #show(shown: Shown): void {
    this.#next = shown;
    if (this.shown === undefined) return this.#flush();
    this.#frame ??= setTimeout(() => this.#flush(), FRAME);
  }

  #flush(): void {
    clearTimeout(this.#frame);
    this.#frame = undefined;
    this.shown = this.#next ?? this.shown;
    this.#next = undefined;
  }
}
