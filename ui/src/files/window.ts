/** Which rows of a long list exist: those in sight, and some above and below. */
export function windowOf(count: number, rowHeight: number, scrollTop: number, height: number, spare = 12): { from: number; to: number } {
  const from = Math.max(0, Math.min(count, Math.floor(scrollTop / rowHeight) - spare));
  const to = Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + spare);
  return { from, to: Math.max(from, to) };
}
