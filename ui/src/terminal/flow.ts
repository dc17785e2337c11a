// Between the socket and the screen: what has arrived, what the screen was given, and what it has drawn.
// The screen never holds more than a window of bytes that it has not parsed, and only parsed bytes are acknowledged,
// so that the daemon's reader in the log waits for us instead of our memory filling up.

import type { Output, Stream } from './frames.ts';

/** What the screen may hold unparsed. */
export const WINDOW = 1024 * 1024;
/** One write to the screen: a few milliseconds of the main thread. Smaller ones cost a history more turns than they are worth. */
export const SLICE = 128 * 1024;
/** Parsed bytes between two acknowledgements; far below the window, so that the daemon never waits for one. */
export const ACKNOWLEDGE_EVERY = 128 * 1024;

/** Where bytes are drawn. `parsed` is called once the bytes have been drawn, in order. */
export interface Screen {
  write(bytes: Uint8Array, stream: Stream, parsed: () => void): void;
  /** Forgets everything that is shown. Called only while nothing is unparsed. */
  reset(): void;
  /** What follows was printed at this size. Called only while nothing is unparsed. */
  resize(size: Size): void;
}

export interface Size {
  cols: number;
  rows: number;
}

type Item = Output | { stream: 'size'; size: Size };

export class Flow {
  #queue: Item[] = [];
  #offset = 0;
  #unparsed = 0;
  #received = 0;
  #parsed = 0;
  /** Bytes of this connection that were drawn; below zero while bytes of the one before are left. */
  #drawnHere = 0;
  #acknowledged = 0;
  #closed = false;

  constructor(
    private readonly screen: Screen,
    private readonly acknowledge: (bytes: number) => void = () => undefined,
  ) {}

  /** Offset after the last byte that arrived: where to attach again. */
  get received(): number {
    return this.#received;
  }

  /** Offset after the last byte that was drawn. */
  get parsed(): number {
    return this.#parsed;
  }

  /** Bytes that the screen holds and has not drawn. */
  get unparsed(): number {
    return this.#unparsed;
  }

  /** Bytes that arrived and wait for the screen. */
  get waiting(): number {
    let sum = -this.#offset;
    for (const item of this.#queue) if (item.stream !== 'size') sum += item.bytes.byteLength;
    return sum;
  }

  /** Takes what arrived. A snapshot makes everything before it that is not yet drawn needless, but for the size that it has. */
  take(output: Output): void {
    if (this.#closed) return;
    if (output.stream === 'snapshot') {
      this.#drawnHere += this.waiting;
      this.#queue = this.#queue.filter(({ stream }) => stream === 'size').slice(-1);
      this.#offset = 0;
    }
    this.#received = output.next;
    this.#queue.push(output);
    this.#pump();
  }

  /** What follows was printed at this size. */
  size(size: Size): void {
    if (this.#closed) return;
    this.#queue.push({ stream: 'size', size });
    this.#pump();
  }

  /** The log was begun anew: what follows stands alone. */
  restart(at: number): void {
    this.take({ stream: 'snapshot', next: at, bytes: new Uint8Array() });
  }

  /** A connection was opened: it counts the bytes that it carries, and hears at once that we do. */
  connected(): void {
    this.#drawnHere = -(this.#unparsed + this.waiting);
    this.#acknowledged = 0;
    this.acknowledge(0);
  }

  close(): void {
    this.#closed = true;
    this.#queue = [];
  }

  #pump(): void {
    while (this.#unparsed + SLICE <= WINDOW) {
      const item = this.#queue[0];
      if (item === undefined) return;
      // A reset or another size in the middle of unparsed bytes would change how those are drawn.
      const between = item.stream === 'size' || (item.stream === 'snapshot' && this.#offset === 0);
      if (between && this.#unparsed > 0) return;
      if (item.stream === 'size') {
        this.#queue.shift();
        this.screen.resize(item.size);
        continue;
      }
      if (between) this.screen.reset();
      this.#writeSlice(item);
    }
  }

  #writeSlice(output: Output): void {
    const bytes = output.bytes.subarray(this.#offset, this.#offset + SLICE);
    this.#offset += bytes.byteLength;
    // What is shown was filtered, so a frame's bytes are no count of places: only its end is a place in the log.
    const next = this.#offset === output.bytes.byteLength ? output.next : undefined;
    if (next !== undefined) {
      this.#queue.shift();
      this.#offset = 0;
    }
    this.#unparsed += bytes.byteLength;
    this.screen.write(bytes, output.stream, () => this.#drawn(bytes.byteLength, next));
  }

  #drawn(count: number, next: number | undefined): void {
    this.#unparsed -= count;
    if (this.#closed) return;
    this.#parsed = next ?? this.#parsed;
    this.#drawnHere += count;
    if (this.#drawnHere - this.#acknowledged >= ACKNOWLEDGE_EVERY) {
      this.#acknowledged = this.#drawnHere;
      this.acknowledge(this.#drawnHere);
    }
    this.#pump();
  }
}
