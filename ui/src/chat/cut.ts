// The beginning of a long text, and how much more there is.

export function cut(text: string, most: number): { text: string; more: number } {
  let at = -1;
  for (let line = 0; line < most; line += 1) {
    at = text.indexOf('\n', at + 1);
    if (at < 0) return { text, more: 0 };
  }
  const rest = text.slice(at + 1).replace(/\n+$/, '');
  return rest === '' ? { text: text.slice(0, at), more: 0 } : { text: text.slice(0, at), more: rest.split('\n').length };
}
