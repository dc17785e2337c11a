// A console in the page itself: it speaks the daemon's frames and keeps to its window, so that only the page is measured.

import type { Socket } from '../src/api/transport.ts';
import { writeOutput } from '../src/terminal/frames.ts';

const WINDOW = 1024 * 1024;
const FRAME = 32 * 1024;

export class Console implements Socket {
  onopen?: () => void;
  onmessage?: (message: string | Uint8Array) => void;
  onclose?: (why: string) => void;
  #log: Uint8Array;
  #sent = 0;
  #parsed = 0;
  #scheduled = false;
  readonly #turns = new MessageChannel();

  /** `log` is what the agent has printed; `snapshot` of its bytes come first and at once. */
  constructor(log: Uint8Array, snapshot = 0) {
    this.#log = log;
    this.#turns.port1.onmessage = () => {
      this.#scheduled = false;
      this.#send();
    };
    setTimeout(() => {
      const end = log.byteLength;
      this.#say({ type: 'hello', session: 'bench', mode: 'interactive', offset_start: 0, offset_end: end, epoch: 1, cols: 0, rows: 0, running: true });
      if (snapshot > 0) {
        this.onmessage?.(writeOutput({ stream: 'snapshot', next: snapshot, bytes: log.subarray(0, snapshot) }));
        this.#sent = snapshot;
      }
      this.#soon();
    });
  }

  send(message: string | Uint8Array): void {
    if (typeof message === 'string') {
      const said = JSON.parse(message) as { type: string; bytes?: number };
      if (said.type === 'parsed') this.#parsed = said.bytes ?? 0;
      this.#soon();
      return;
    }
    // What is typed is echoed, as a shell does.
    this.print(message);
  }

  print(bytes: Uint8Array): void {
    const log = new Uint8Array(this.#log.byteLength + bytes.byteLength);
    log.set(this.#log);
    log.set(bytes, this.#log.byteLength);
    this.#log = log;
    this.#soon();
  }

  close(): void {
    this.#turns.port1.close();
  }

  #say(value: unknown): void {
    this.onmessage?.(JSON.stringify(value));
  }

  #soon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#turns.port2.postMessage(0);
  }

  #send(): void {
    if (this.#sent >= this.#log.byteLength || this.#sent - this.#parsed >= WINDOW) return;
    const next = Math.min(this.#log.byteLength, this.#sent + FRAME);
    this.onmessage?.(writeOutput({ stream: 'terminal', next, bytes: this.#log.subarray(this.#sent, next) }));
    this.#sent = next;
    this.#soon();
  }
}
