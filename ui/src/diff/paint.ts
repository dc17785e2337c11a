// One line of code as pieces with a class each: the language's colours, and the part that changed.

export interface Token {
  from: number;
  to: number;
  style: string;
}

export interface Paint {
  text: string;
  style: string;
  changed: boolean;
}

/** Cuts a line where its tokens and its changed part begin and end. Tokens are in order and do not overlap. */
export function paint(text: string, tokens: readonly Token[], changed: readonly [number, number] | undefined): Paint[] {
  const cuts = new Set([0, text.length]);
  for (const { from, to } of tokens) cuts.add(from).add(to);
  if (changed !== undefined) cuts.add(changed[0]).add(changed[1]);
  const places = [...cuts].filter((place) => place >= 0 && place <= text.length).sort((one, other) => one - other);
  const out: Paint[] = [];
  let token = 0;
  for (let at = 0; at + 1 < places.length; at += 1) {
    const [from, to] = [places[at] ?? 0, places[at + 1] ?? 0];
    while ((tokens[token]?.to ?? Infinity) <= from) token += 1;
    const inside = tokens[token];
    const style = inside !== undefined && inside.from <= from ? inside.style : '';
    out.push({ text: text.slice(from, to), style, changed: changed !== undefined && from >= changed[0] && to <= changed[1] });
  }
  return out;
}

/** Gives the tokens of a text to the lines that they stand on. */
export function byLine(lines: readonly string[], tokens: readonly Token[]): Token[][] {
  const out: Token[][] = lines.map(() => []);
  let start = 0;
  let first = 0;
  for (const [at, line] of lines.entries()) {
    const end = start + line.length;
    while ((tokens[first]?.to ?? Infinity) <= start) first += 1;
    for (let next = first; (tokens[next]?.from ?? Infinity) < end; next += 1) {
      const token = tokens[next];
      if (token === undefined) break;
      out[at]?.push({ from: Math.max(0, token.from - start), to: Math.min(line.length, token.to - start), style: token.style });
    }
    start = end + 1;
  }
  return out;
}
