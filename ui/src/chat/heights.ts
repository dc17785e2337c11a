// Where each row of a long conversation stands, by measured heights where there are some and by guesses elsewhere.

export class Heights {
  readonly #measured = new Map<string, number>();

  /** Keeps a measured height; says whether it is another than before. */
  measure(key: string, height: number): boolean {
    if (this.#measured.get(key) === height) return false;
    this.#measured.set(key, height);
    return true;
  }

  /** Where each row begins, and after the last one where all of them end. */
  offsets<R extends { key: string }>(rows: readonly R[], guess: (row: R) => number): Float64Array {
    const out = new Float64Array(rows.length + 1);
    for (const [at, row] of rows.entries()) out[at + 1] = (out[at] ?? 0) + (this.#measured.get(row.key) ?? guess(row));
    return out;
  }
}

/** The row at a place: the last that begins at or before it. */
export function rowAt(offsets: Float64Array, place: number): number {
  let [low, high] = [0, Math.max(0, offsets.length - 2)];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((offsets[middle] ?? 0) <= place) low = middle;
    else high = middle - 1;
  }
  return low;
}
