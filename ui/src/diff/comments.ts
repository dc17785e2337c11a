// Comments on lines: kept as drafts until they are sent, and sent as one message that any agent understands.

export interface Comment {
  id: string;
  path: string;
  side: 'before' | 'now';
  line: number;
  /** The line as it read when the comment was begun. */
  quote: string;
  body: string;
}

const QUOTE = 200;

/** The one message; undefined where nothing was written. */
export function message(comments: readonly Comment[]): string | undefined {
  const written = comments.filter(({ body }) => body.trim() !== '').sort(inOrder);
  if (written.length === 0) return undefined;
  const head = written.length === 1 ? 'I have a comment on your changes:' : `I have ${written.length} comments on your changes:`;
  return [head, ...written.map(paragraph)].join('\n\n');
}

function paragraph({ path, side, line, quote, body }: Comment): string {
  const where = side === 'now' ? `${path}:${line}` : `${path}:${line} (removed)`;
  const quoted = quote.length > QUOTE ? `${quote.slice(0, QUOTE)}…` : quote;
  return [where, ...(quote.trim() === '' ? [] : [`> ${quoted}`]), body.trim()].join('\n');
}

function inOrder(one: Comment, other: Comment): number {
  if (one.path !== other.path) return one.path < other.path ? -1 : 1;
  return one.line - other.line || (one.side === other.side ? 0 : one.side === 'before' ? -1 : 1);
}

/** Reads drafts as they were remembered; what is none of ours is left out. */
export function readDrafts(value: unknown): Comment[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isComment).map(({ id, path, side, line, quote, body }) => ({ id, path, side, line, quote, body }));
}

function isComment(value: unknown): value is Comment {
  if (typeof value !== 'object' || value === null) return false;
  const one = value as Record<string, unknown>;
  return (
    typeof one.id === 'string' &&
    typeof one.path === 'string' &&
    (one.side === 'before' || one.side === 'now') &&
    typeof one.line === 'number' &&
    typeof one.quote === 'string' &&
    typeof one.body === 'string'
  );
}
