/** Milliseconds before the next try: a quarter of a second, doubling to five seconds, ±20 % so that many do not come at once. */
export function backoff(attempt: number, random: number): number {
  const base = Math.min(5000, 250 * 2 ** Math.min(attempt, 10));
  return Math.round(base * (0.8 + 0.4 * random));
}
