import type { ItemId, MessageView, TurnSum } from '../api/types.ts';
import type { PrintedLink } from '../terminal/links.ts';

/** What a row may ask of the view that it stands in. */
export interface Acts {
  fold(key: string, open: boolean): void;
  /** Whether a part of an item was opened by the person. */
  opened(key: string): boolean;
  link(link: PrintedLink): void;
  terminal(): void;
  turn(id: ItemId): TurnSum | undefined;
  /** Whether what an item asks can be answered here. */
  asks(id: ItemId): boolean;
  /** The message of the composer's that became this prompt. */
  message(id: ItemId): MessageView | undefined;
}
