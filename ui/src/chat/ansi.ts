// A program's colours as pieces of text. Everything else that a terminal would obey is left out.

export interface Piece {
  text: string;
  /** The name of a terminal colour, such as `bright-red`. */
  colour: string | undefined;
  bold: boolean;
  dim: boolean;
}

const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
const SEQUENCE = /\x1b\[([0-9;:]*)([A-Za-z])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\^_]?|[\x00-\x08\x0b\x0c\x0e-\x1a\x7f]/g;

export function pieces(text: string): Piece[] {
  const out: Piece[] = [];
  let look: Omit<Piece, 'text'> = { colour: undefined, bold: false, dim: false };
  let at = 0;
  // A line that a carriage return began anew shows what it was last.
  const lines = text.replace(/\r+\n/g, '\n').replace(/[^\n]*\r/g, '');
  for (const found of lines.matchAll(SEQUENCE)) {
    if (found.index > at) out.push({ text: lines.slice(at, found.index), ...look });
    at = found.index + found[0].length;
    if (found[2] === 'm') look = after(look, found[1] ?? '');
  }
  if (at < lines.length) out.push({ text: lines.slice(at), ...look });
  return out;
}

function after(look: Omit<Piece, 'text'>, codes: string): Omit<Piece, 'text'> {
  const now = { ...look };
  const numbers = codes.split(/[;:]/).map(Number);
  for (let at = 0; at < numbers.length; at += 1) {
    const code = numbers[at] ?? 0;
    if (code === 0) Object.assign(now, { colour: undefined, bold: false, dim: false });
    else if (code === 1) now.bold = true;
    else if (code === 2) now.dim = true;
    else if (code === 22) Object.assign(now, { bold: false, dim: false });
    else if (code === 39) now.colour = undefined;
    else if (code >= 30 && code <= 37) now.colour = NAMES[code - 30];
    else if (code >= 90 && code <= 97) now.colour = `bright-${NAMES[code - 90]}`;
    else if (code === 38 || code === 48) {
      const index = numbers[at + 2] ?? 0;
      if (code === 38 && numbers[at + 1] === 5 && index < 16) now.colour = index < 8 ? NAMES[index] : `bright-${NAMES[index - 8]}`;
      at += numbers[at + 1] === 5 ? 2 : 4;
    }
  }
  return now;
}
