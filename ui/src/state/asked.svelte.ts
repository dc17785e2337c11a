import { shown, type ApiError } from '../api/error.ts';

/** An answer that is awaited, there, or failed; asked for again on demand, with the old one shown meanwhile. */
export class Asked<T> {
  #ask: () => Promise<T>;
  #turn = 0;
  value = $state.raw<T | null>(null);
  error = $state.raw<ApiError | null>(null);
  busy = $state(false);

  constructor(ask: () => Promise<T>) {
    this.#ask = ask;
  }

  async again(): Promise<void> {
    const turn = ++this.#turn;
    this.busy = true;
    try {
      const value = await this.#ask();
      if (turn !== this.#turn) return;
      this.value = value;
      this.error = null;
    } catch (thrown) {
      if (turn === this.#turn) this.error = shown(thrown);
    } finally {
      if (turn === this.#turn) this.busy = false;
    }
  }
}
