// One viewer's connection to a session's console: opens it where it was left, opens it again when it breaks, says how it is.
// It never decides what is shown; that is the flow's.

import type { ConsoleHello, Error as ApiError, Exit } from '../api/types.ts';
import type { Socket } from '../api/transport.ts';
import { backoff } from './backoff.ts';
import type { Size } from './flow.ts';
import { type Output, readOutput, readText, writeText } from './frames.ts';

/** How the connection is. */
export type LinkState =
  | { kind: 'closed' }
  | { kind: 'connecting' }
  | { kind: 'live' }
  | { kind: 'reconnecting'; attempt: number; waitMs: number }
  | { kind: 'ended'; exit: Exit }
  | { kind: 'failed'; error: ApiError };

/** A place in a session's log. Offsets of another epoch mean nothing. */
export interface Place {
  from: number;
  epoch: number | undefined;
}

/** What a connection tells. */
export interface LinkListener {
  hello(hello: ConsoleHello): void;
  output(output: Output): void;
  size(size: Size): void;
  state(state: LinkState): void;
}

/** What a connection needs of the world. */
export interface LinkWorld {
  /** Opens the console at a place of its log, or with a snapshot. */
  open(place: Place | undefined): Socket;
  /** Runs `then` after `ms`; returns how to take it back. */
  later(ms: number, then: () => void): () => void;
  random(): number;
}

/** Keys typed while there is no connection; more than a person types in a minute. */
const KEPT_KEYS = 4096;

export class Link {
  #state: LinkState = { kind: 'closed' };
  #socket: Socket | undefined;
  #attempt = 0;
  #cancel: (() => void) | undefined;
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #size: Size | undefined;

  constructor(
    private readonly world: LinkWorld,
    private readonly listener: LinkListener,
    /** Where to go on; asked at each opening. */
    private readonly place: () => Place | undefined,
  ) {}

  get state(): LinkState {
    return this.#state;
  }

  /** Connects where there is no connection; a broken or ended one is begun anew. */
  open(): void {
    if (this.#socket !== undefined) return;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#attempt = 0;
    this.#connect();
  }

  /** Ends the connection and stays so. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#drop();
    this.#kept = [];
    this.#keptBytes = 0;
    this.#become({ kind: 'closed' });
  }

  /** Sends keys. Those typed while the connection is away are kept and sent when it is back. */
  type(bytes: Uint8Array): void {
    switch (this.#state.kind) {
      case 'live':
        this.#socket?.send(bytes);
        return;
      case 'connecting':
      case 'reconnecting':
        if (this.#keptBytes + bytes.byteLength > KEPT_KEYS) return;
        this.#kept.push(bytes);
        this.#keptBytes += bytes.byteLength;
        return;
      case 'closed':
      case 'ended':
      case 'failed':
        return;
    }
  }

  resize(cols: number, rows: number): void {
    this.#size = { cols, rows };
    if (this.#state.kind === 'live') this.#socket?.send(writeText({ type: 'resize', cols, rows }));
  }

  /** Says how many bytes of this connection were drawn. */
  acknowledge(bytes: number): void {
    if (this.#state.kind === 'live') this.#socket?.send(writeText({ type: 'parsed', bytes }));
  }

  #connect(): void {
    this.#become({ kind: 'connecting' });
    const socket = this.world.open(this.place());
    this.#socket = socket;
    const current = (): boolean => this.#socket === socket;
    socket.onmessage = (message) => {
      if (!current()) return;
      if (typeof message === 'string') this.#text(message);
      else this.#binary(message);
    };
    socket.onclose = () => {
      if (current()) this.#lost();
    };
  }

  #binary(message: Uint8Array): void {
    const output = readOutput(message);
    if (output !== undefined) this.listener.output(output);
  }

  #text(message: string): void {
    const text = readText(message);
    if (text === undefined) return;
    switch (text.type) {
      case 'hello':
        this.#attempt = 0;
        this.#become({ kind: 'live' });
        this.listener.hello(text);
        this.#catchUp();
        return;
      case 'size':
        this.listener.size({ cols: text.cols, rows: text.rows });
        return;
      case 'exit':
        this.#drop();
        this.#become({ kind: 'ended', exit: { code: text.code, signal: text.signal, oom: text.oom } });
        return;
      case 'error':
        this.#drop();
        this.#become({ kind: 'failed', error: { code: text.code, message: text.message, hint: text.hint ?? null } });
        return;
    }
  }

  #catchUp(): void {
    if (this.#size !== undefined) this.resize(this.#size.cols, this.#size.rows);
    const kept = this.#kept;
    this.#kept = [];
    this.#keptBytes = 0;
    for (const bytes of kept) this.#socket?.send(bytes);
  }

  #lost(): void {
    this.#socket = undefined;
    const waitMs = backoff(this.#attempt, this.world.random());
    this.#attempt += 1;
    this.#become({ kind: 'reconnecting', attempt: this.#attempt, waitMs });
    this.#cancel = this.world.later(waitMs, () => {
      this.#cancel = undefined;
      this.#connect();
    });
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #become(state: LinkState): void {
    this.#state = state;
    this.listener.state(state);
  }
}
