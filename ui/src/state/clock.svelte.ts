/** The time for words such as "5m": it moves on every half minute. */
export class Clock {
  now = $state(Date.now());
  #timer = setInterval(() => (this.now = Date.now()), 30_000);

  dispose(): void {
    clearInterval(this.#timer);
  }
}
