// Gives a text that is being sent one name for as long as it is not known to have arrived, over a reload too: sent twice under
// one name, it is one message.

export interface Outgoing {
  id: string;
  text: string;
}

type Kept = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** The names of the texts on their way, by session. */
export class OutgoingTexts {
  constructor(
    private readonly kept: Kept,
    private readonly name: () => string = () => crypto.randomUUID(),
  ) {}

  /** The name under which this text goes: that of the last try, where it is the same text. */
  begin(session: string, text: string): string {
    const before = this.of(session);
    if (before?.text === text) return before.id;
    const id = this.name();
    this.kept.setItem(key(session), JSON.stringify({ id, text } satisfies Outgoing));
    return id;
  }

  /** The text that was on its way last. */
  of(session: string): Outgoing | undefined {
    const text = this.kept.getItem(key(session));
    if (text === null) return undefined;
    const value: unknown = JSON.parse(text);
    return isOutgoing(value) ? value : undefined;
  }

  arrived(session: string): void {
    this.kept.removeItem(key(session));
  }
}

function key(session: string): string {
  return `outgoing:${session}`;
}

function isOutgoing(value: unknown): value is Outgoing {
  return typeof value === 'object' && value !== null && 'id' in value && 'text' in value && typeof value.id === 'string' && typeof value.text === 'string';
}
