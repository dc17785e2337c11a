// How well a line of the palette fits what was typed. Values in, values out.

export interface Entry {
  id: string;
  title: string;
  group: string;
  /** More words by which it is found. */
  words?: string;
}

/** Higher is better; none where a word is in neither the title nor the words. */
export function score(entry: Entry, typed: string): number | null {
  const title = entry.title.toLowerCase();
  const rest = `${entry.group} ${entry.words ?? ''}`.toLowerCase();
  let sum = 0;
  for (const word of typed.toLowerCase().split(/\s+/).filter(Boolean)) {
    const one = inTitle(title, word) ?? (rest.includes(word) ? 10 : null);
    if (one === null) return null;
    sum += one;
  }
  return sum;
}

function inTitle(title: string, word: string): number | null {
  const at = title.indexOf(word);
  if (at === 0) return 100;
  if (at > 0) return /[\s:/-]/.test(title[at - 1] ?? '') ? 70 : 40;
  // "nse" finds "new session": the letters begin its words or follow one another in them.
  return word.length > 1 && spread(title, word) ? 15 : null;
}

/** Whether the letters come in this order, each at a word's beginning or right after the one before it. */
function spread(title: string, letters: string): boolean {
  let from = 0;
  let last = -2;
  for (const letter of letters) {
    let at = title.indexOf(letter, from);
    while (at > 0 && at !== last + 1 && /[a-z0-9]/.test(title[at - 1] ?? '')) at = title.indexOf(letter, at + 1);
    if (at < 0) return false;
    last = at;
    from = at + 1;
  }
  return true;
}

/** The entries that fit, best first; with nothing typed all of them in their own order. */
export function search<T extends Entry>(entries: readonly T[], typed: string): T[] {
  if (!typed.trim()) return [...entries];
  return entries
    .flatMap((entry, place) => {
      const points = score(entry, typed);
      return points === null ? [] : [{ entry, points, place }];
    })
    .sort((a, b) => b.points - a.points || a.place - b.place)
    .map((one) => one.entry);
}
