// When a terminal draws. A frame costs more than the parsing of many lines, so while much is still to be parsed, or much
// comes on and on, only a few frames are drawn. Otherwise every frame is drawn when it is asked for.

/** Milliseconds from one frame to the next while there is much to draw. */
export const APART = 120;
/** Bytes to be parsed that are much: more than an agent prints between two frames. */
export const MUCH = 64 * 1024;
/** Bytes that may come at once, and in each second after, before they are a flood. A history that is shown again is none. */
export const FLOOD = 1024 * 1024;
/** How far a flood may rise above that: it counts as over a quarter of a second after its last byte. */
const CREST = FLOOD / 4;

/** What a pace needs of the world. */
export interface FrameWorld {
  now(): number;
  frame(draw: FrameRequestCallback): number;
  cancelFrame(id: number): void;
  /** Runs `then` after `ms`; returns how to take it back. */
  later(ms: number, then: () => void): () => void;
}

/** A frame that was asked for: held until its time has come, or on its way. */
interface Asked {
  hurry(): void;
  cancel(): void;
}

export class Pace {
  readonly #asked = new Map<number, Asked>();
  #ids = 0;
  #drawn = -Infinity;
  #unparsed = 0;
  #level = 0;
  #measured = 0;

  constructor(private readonly world: FrameWorld) {}

  /** Notes bytes that are to be parsed. */
  wrote(bytes: number): void {
    this.#unparsed += bytes;
    this.#level = Math.min(this.#risen() + bytes, FLOOD + CREST);
    this.#measured = this.world.now();
  }

  /** Notes bytes that have been parsed. What was held is drawn when that was the last of much. */
  parsed(bytes: number): void {
    const before = this.#hasMuch();
    this.#unparsed -= bytes;
    if (before && !this.#hasMuch()) for (const asked of [...this.#asked.values()]) asked.hurry();
  }

  /** As `requestAnimationFrame`. */
  request(draw: FrameRequestCallback): number {
    const id = ++this.#ids;
    const wait = this.#hasMuch() ? this.#drawn + APART - this.world.now() : 0;
    if (wait > 0) this.#hold(id, wait, draw);
    else this.#ask(id, draw);
    return id;
  }

  /** As `cancelAnimationFrame`. */
  cancel(id: number): void {
    this.#asked.get(id)?.cancel();
    this.#asked.delete(id);
  }

  #hasMuch(): boolean {
    return this.#unparsed > MUCH || this.#risen() > FLOOD;
  }

  /** The bytes of late, of which a flood's worth runs off each second. */
  #risen(): number {
    return Math.max(0, this.#level - ((this.world.now() - this.#measured) * FLOOD) / 1000);
  }

  #hold(id: number, wait: number, draw: FrameRequestCallback): void {
    const cancel = this.world.later(wait, () => this.#ask(id, draw));
    const hurry = (): void => {
      cancel();
      this.#ask(id, draw);
    };
    this.#asked.set(id, { hurry, cancel });
  }

  #ask(id: number, draw: FrameRequestCallback): void {
    const frame = this.world.frame((at) => {
      this.#asked.delete(id);
      this.#drawn = this.world.now();
      draw(at);
    });
    this.#asked.set(id, { hurry: () => undefined, cancel: () => this.world.cancelFrame(frame) });
  }
}

/** Gives xterm.js, which takes its window from the element that it is opened in, a window whose frames come at this pace. */
export function paced(element: HTMLElement, pace: Pace): void {
  const own = { requestAnimationFrame: (draw: FrameRequestCallback) => pace.request(draw), cancelAnimationFrame: (id: number) => pace.cancel(id) };
  const view = standIn(window, own);
  Object.defineProperty(element, 'ownerDocument', { value: standIn(document, { defaultView: view }) });
}

/** `real`, but for what `own` has. */
function standIn<T extends object>(real: T, own: Record<string, unknown>): T {
  return new Proxy(real, {
    get(target, name) {
      if (typeof name === 'string' && name in own) return own[name];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
}
