// The terminals that are kept alive while hidden. The least recently shown goes first; it comes back from a snapshot.

export const LIVE = 12;

export interface Pooled {
  dispose(): void;
}

export class Pool<T extends Pooled> {
  /** In the order of their last use, the oldest first. */
  #live = new Map<string, T>();
  #shown = new Map<string, number>();

  constructor(
    private readonly make: (id: string) => T,
    private readonly limit = LIVE,
  ) {}

  get size(): number {
    return this.#live.size;
  }

  has(id: string): boolean {
    return this.#live.has(id);
  }

  /** Gives the terminal to a place that shows it, and keeps it until `release`. */
  take(id: string): T {
    const found = this.#live.get(id);
    this.#live.delete(id);
    const one = found ?? this.make(id);
    this.#live.set(id, one);
    this.#shown.set(id, (this.#shown.get(id) ?? 0) + 1);
    this.#trim();
    return one;
  }

  /** The place no longer shows it; it stays alive while there is room. */
  release(id: string): void {
    const left = (this.#shown.get(id) ?? 0) - 1;
    if (left > 0) this.#shown.set(id, left);
    else this.#shown.delete(id);
    this.#trim();
  }

  /** The terminal where it is alive, without making it younger. */
  peek(id: string): T | undefined {
    return this.#live.get(id);
  }

  /** The session is gone. */
  forget(id: string): void {
    this.#live.get(id)?.dispose();
    this.#live.delete(id);
    this.#shown.delete(id);
  }

  *live(): IterableIterator<T> {
    yield* this.#live.values();
  }

  dispose(): void {
    for (const id of [...this.#live.keys()]) this.forget(id);
  }

  #trim(): void {
    for (const [id, one] of this.#live) {
      if (this.#live.size <= this.limit) return;
      if (this.#shown.has(id)) continue;
      this.#live.delete(id);
      one.dispose();
    }
  }
}
