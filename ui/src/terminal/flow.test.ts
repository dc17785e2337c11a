import { describe, expect, it } from 'vitest';
import { ACKNOWLEDGE_EVERY, Flow, SLICE, type Screen, WINDOW } from './flow.ts';
import type { Output } from './frames.ts';

/** A screen that draws when it is told to. */
class Slow implements Screen {
  shown = '';
  readonly sizes: number[] = [];
  readonly #due: (() => void)[] = [];

  write(bytes: Uint8Array, _stream: unknown, parsed: () => void): void {
    const text = new TextDecoder('latin1').decode(bytes);
    this.#due.push(() => {
      this.shown += text;
      parsed();
    });
  }

  reset(): void {
    if (this.#due.length > 0) throw new Error('reset while bytes are unparsed');
    this.shown = '';
  }

  resize({ cols }: { cols: number }): void {
    if (this.#due.length > 0) throw new Error('resized while bytes are unparsed');
    this.shown += `[${cols}]`;
    this.sizes.push(cols);
  }

  draw(times = Infinity): void {
    for (let drawn = 0; drawn < times; drawn += 1) {
      const next = this.#due.shift();
      if (next === undefined) return;
      next();
    }
  }
}

function output(text: string, next: number, stream: Output['stream'] = 'terminal'): Output {
  return { stream, next, bytes: new TextEncoder().encode(text) };
}

describe('flow', () => {
  it('never gives the screen more than the window', () => {
    const screen = new Slow();
    const flow = new Flow(screen);
    flow.take({ stream: 'terminal', next: 5 * WINDOW, bytes: new Uint8Array(5 * WINDOW) });
    expect(flow.unparsed).toBeLessThanOrEqual(WINDOW);
    expect(flow.unparsed + flow.waiting).toBe(5 * WINDOW);
    screen.draw(1);
    expect(flow.unparsed).toBeLessThanOrEqual(WINDOW);
    expect(flow.unparsed + flow.waiting).toBe(5 * WINDOW - SLICE);
    screen.draw();
    expect(flow.parsed).toBe(5 * WINDOW);
    expect(screen.shown.length).toBe(5 * WINDOW);
  });

  it('acknowledges only what was drawn', () => {
    const screen = new Slow();
    const said: number[] = [];
    const flow = new Flow(screen, (bytes) => said.push(bytes));
    flow.connected();
    flow.take({ stream: 'terminal', next: 900 + ACKNOWLEDGE_EVERY, bytes: new Uint8Array(ACKNOWLEDGE_EVERY) });
    expect(said).toEqual([0]);
    screen.draw();
    expect(said).toEqual([0, ACKNOWLEDGE_EVERY]);
  });

  it('counts for a new connection only the bytes that it carried', () => {
    const screen = new Slow();
    const said: number[] = [];
    const flow = new Flow(screen, (bytes) => said.push(bytes));
    flow.take({ stream: 'terminal', next: ACKNOWLEDGE_EVERY, bytes: new Uint8Array(ACKNOWLEDGE_EVERY) });
    flow.connected();
    flow.take({ stream: 'terminal', next: 2 * ACKNOWLEDGE_EVERY, bytes: new Uint8Array(ACKNOWLEDGE_EVERY) });
    screen.draw();
    expect(said).toEqual([0, ACKNOWLEDGE_EVERY]);
  });

  it('a snapshot replaces what is shown and what waits, and waits for what is being drawn', () => {
    const screen = new Slow();
    const flow = new Flow(screen);
    flow.take(output('old', 3));
    flow.take(output('new', 100, 'snapshot'));
    flow.take(output('+live', 105));
    expect(flow.received).toBe(105);
    screen.draw();
    expect(screen.shown).toBe('new+live');
    expect(flow.parsed).toBe(105);
  });

  it('bytes dropped for a snapshot count as drawn, or the daemon would wait for them for ever', () => {
    const screen = new Slow();
    const said: number[] = [];
    const flow = new Flow(screen, (bytes) => said.push(bytes));
    flow.connected();
    const much = 3 * WINDOW;
    flow.take({ stream: 'terminal', next: much, bytes: new Uint8Array(much) });
    flow.take(output('new', much + 9, 'snapshot'));
    screen.draw();
    expect(screen.shown).toBe('new');
    expect(much + 3 - (said.at(-1) ?? 0)).toBeLessThan(ACKNOWLEDGE_EVERY);
  });

  it('changes the size exactly where it changed in the stream', () => {
    const screen = new Slow();
    const flow = new Flow(screen);
    flow.take(output('a', 1));
    flow.size({ cols: 80, rows: 24 });
    flow.take(output('b', 2));
    flow.size({ cols: 100, rows: 24 });
    screen.draw();
    expect(screen.shown).toBe('a[80]b[100]');
  });

  it('a place in the log is reached only when the whole frame is drawn: filtered bytes are no count of places', () => {
    const screen = new Slow();
    const flow = new Flow(screen);
    flow.take(output('first size', 100, 'snapshot'));
    flow.size({ cols: 100, rows: 24 });
    flow.take({ stream: 'terminal', next: 110, bytes: new Uint8Array(3 * SLICE) });
    screen.draw(1);
    expect(flow.parsed).toBe(100);
    screen.draw(2);
    expect(flow.parsed).toBe(100);
    screen.draw();
    expect(flow.parsed).toBe(110);
  });

  it('a frame of which nothing is left takes its place in turn', () => {
    const screen = new Slow();
    const flow = new Flow(screen);
    flow.take(output('a', 1));
    flow.take(output('', 2));
    expect(flow.parsed).toBe(0);
    screen.draw();
    expect(flow.parsed).toBe(2);
  });

  it('a snapshot that comes while bytes are being drawn is drawn at its own size', () => {
    const screen = new Slow();
    const flow = new Flow(screen);
    flow.take(output('old', 3));
    flow.size({ cols: 80, rows: 24 });
    flow.take(output('older still', 9));
    flow.size({ cols: 120, rows: 24 });
    flow.take(output('new', 100, 'snapshot'));
    screen.draw();
    expect(screen.sizes).toEqual([120]);
    expect(screen.shown).toBe('new');
  });

  it('a log begun anew clears the screen', () => {
    const screen = new Slow();
    const flow = new Flow(screen);
    flow.take(output('old', 3));
    screen.draw();
    flow.restart(0);
    flow.take(output('again', 5));
    screen.draw();
    expect(screen.shown).toBe('again');
  });

  it('draws nothing after it was closed', () => {
    const screen = new Slow();
    const said: number[] = [];
    const flow = new Flow(screen, (bytes) => said.push(bytes));
    flow.take({ stream: 'terminal', next: 3 * WINDOW, bytes: new Uint8Array(3 * WINDOW) });
    flow.close();
    screen.draw();
    expect(said).toEqual([]);
    expect(screen.shown.length).toBeLessThanOrEqual(WINDOW);
  });
});
