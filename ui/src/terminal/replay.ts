// Whether the bytes now being drawn are old. Programs ask terminals questions (what are you, where is the cursor, which
// colours); the answer goes back as if it were typed. To a question in the history nobody waits for an answer any more.

import type { ConsoleHello } from '../api/types.ts';

/** What to do about the place we want to go on from, once the daemon has said what its log holds. */
export function place(hello: Pick<ConsoleHello, 'offset_start' | 'offset_end' | 'epoch'>, from: number, epoch: number): 'go-on' | 'restart' {
  if (from === 0) return 'go-on';
  return hello.epoch !== epoch || from > hello.offset_end || from < hello.offset_start ? 'restart' : 'go-on';
}

export class Replay {
  #until = 0;

  /** Everything before `end` was printed before we came. */
  began(end: number): void {
    this.#until = end;
  }

  /** Whether bytes after `parsed` are still history. */
  old(parsed: number): boolean {
    return parsed < this.#until;
  }
}
