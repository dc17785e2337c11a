// Markdown as values. What draws them makes elements of its own, so that nothing an agent writes is ever HTML of this page:
// a tag is shown as it was written, an image is a word, and a link is only an address to be asked about.

import { lexer, type Token, type Tokens } from 'marked';
import { printedLink, type PrintedLink } from '../terminal/links.ts';

export type Inline =
  | { is: 'text'; text: string }
  | { is: 'code'; text: string }
  | { is: 'break' }
  | { is: 'strong' | 'em' | 'del'; inside: readonly Inline[] }
  | { is: 'link'; link: PrintedLink; inside: readonly Inline[] };

export interface ListEntry {
  checked: boolean | undefined;
  blocks: readonly Block[];
}

export type Block = { raw: string } & (
  | { is: 'paragraph'; inside: readonly Inline[] }
  | { is: 'heading'; depth: number; inside: readonly Inline[] }
  | { is: 'code'; language: string; text: string }
  | { is: 'quote'; blocks: readonly Block[] }
  | { is: 'list'; ordered: boolean; start: number; entries: readonly ListEntry[] }
  | { is: 'table'; head: readonly (readonly Inline[])[]; rows: readonly (readonly (readonly Inline[])[])[] }
  | { is: 'rule' }
);

/** Longer texts are shown plain: nobody reads them, and they would hold up the page. */
const MOST = 200_000;
/** Deeper ones are no text that a person wrote. */
const DEEPEST = 12;

/** Reads Markdown. A block that reads as it did in `before` is that one, so that a growing text draws only its end. */
export function blocks(text: string, before: readonly Block[] = []): Block[] {
  if (text.length > MOST) return [{ is: 'code', language: '', text, raw: text }];
  let tokens: Token[];
  try {
    tokens = lexer(text, { gfm: true });
  } catch {
    return [{ is: 'paragraph', inside: [{ is: 'text', text }], raw: text }];
  }
  let at = 0;
  return tokens.flatMap((token) => {
    if (token.type === 'space' || token.type === 'def') return [];
    const same = before[at++];
    return same?.raw === token.raw ? [same] : block(token, 0);
  });
}

function block(token: Token, depth: number): Block[] {
  const raw = token.raw;
  if (depth > DEEPEST) return [{ is: 'paragraph', inside: [{ is: 'text', text: raw }], raw }];
  const one = token as Tokens.Generic;
  switch (token.type) {
    case 'space':
    case 'def':
      return [];
    case 'heading':
      return [{ is: 'heading', depth: one['depth'] as number, inside: inline(one.tokens, depth), raw }];
    case 'code':
      return [{ is: 'code', language: ((one['lang'] as string | undefined) ?? '').split(/\s/)[0] ?? '', text: one['text'] as string, raw }];
    case 'blockquote':
      return [{ is: 'quote', blocks: (one.tokens ?? []).flatMap((inner) => block(inner, depth + 1)), raw }];
    case 'list':
      return [list(token as Tokens.List, depth)];
    case 'table': {
      const table = token as Tokens.Table;
      const cells = (row: readonly Tokens.TableCell[]) => row.map((cell) => inline(cell.tokens, depth));
      return [{ is: 'table', head: cells(table.header), rows: table.rows.map(cells), raw }];
    }
    case 'hr':
      return [{ is: 'rule', raw }];
    case 'html':
      return [{ is: 'paragraph', inside: [{ is: 'text', text: raw.trimEnd() }], raw }];
    default:
      return [{ is: 'paragraph', inside: one.tokens ? inline(one.tokens, depth) : [{ is: 'text', text: plain((one['text'] as string | undefined) ?? raw) }], raw }];
  }
}

function list(token: Tokens.List, depth: number): Block {
  return {
    is: 'list',
    ordered: token.ordered,
    start: typeof token.start === 'number' ? token.start : 1,
    entries: token.items.map((item) => ({
      checked: item.task ? item.checked === true : undefined,
      blocks: item.tokens.filter(({ type }) => type !== 'checkbox').flatMap((inner) => block(inner, depth + 1)),
    })),
    raw: token.raw,
  };
}

function inline(tokens: readonly Token[] | undefined, depth: number): Inline[] {
  return (tokens ?? []).flatMap((token): Inline[] => {
    const one = token as Tokens.Generic;
    if (depth > DEEPEST) return [{ is: 'text', text: token.raw }];
    switch (token.type) {
      case 'strong':
      case 'em':
      case 'del':
        return [{ is: token.type, inside: inline(one.tokens, depth + 1) }];
      case 'codespan':
        return [{ is: 'code', text: one['text'] as string }];
      case 'br':
        return [{ is: 'break' }];
      case 'link': {
        const link = printedLink(one['href'] as string);
        return link ? [{ is: 'link', link, inside: inline(one.tokens, depth + 1) }] : inline(one.tokens, depth + 1);
      }
      case 'image':
        // Fetching it would tell whoever serves it that somebody reads this.
        return [{ is: 'text', text: `[image: ${(one['text'] as string) || (one['href'] as string)}]` }];
      case 'html':
        return [{ is: 'text', text: token.raw }];
      case 'checkbox':
        return [];
      default:
        if (one.tokens) return inline(one.tokens, depth + 1);
        return [{ is: 'text', text: plain((one['text'] as string | undefined) ?? token.raw) }];
    }
  });
}

const ENTITIES: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&nbsp;': ' ' };

/** A text as it reads: these few are what people write as entities. */
function plain(text: string): string {
  return text.replace(/&(?:amp|lt|gt|quot|#39|nbsp);/g, (entity) => ENTITIES[entity] ?? entity);
}
