import { describe, expect, it } from 'vitest';
import type { Socket } from '../api/transport.ts';
import { Flow, type Screen } from './flow.ts';
import { readText, writeOutput } from './frames.ts';
import { Link, type LinkState } from './link.ts';

class Wire implements Socket {
  onopen?: () => void;
  onmessage?: (message: string | Uint8Array) => void;
  onclose?: (why: string) => void;
  sent: (string | Uint8Array)[] = [];
  closed = false;

  constructor(readonly from: number | undefined) {}

  send(message: string | Uint8Array): void {
    this.sent.push(message);
  }

  close(): void {
    this.closed = true;
  }

  hello(start: number, end: number): void {
    const hello = { type: 'hello', session: 's', mode: 'interactive', offset_start: start, offset_end: end, running: true };
    this.onmessage?.(JSON.stringify(hello));
  }

  breaks(): void {
    this.onclose?.('gone');
  }
}

class Drawn implements Screen {
  bytes: number[] = [];
  write(bytes: Uint8Array, _stream: unknown, parsed: () => void): void {
    this.bytes.push(...bytes);
    parsed();
  }
  reset(): void {
    this.bytes = [];
  }
  resize(): void {}
}

function world() {
  const wires: Wire[] = [];
  const states: LinkState[] = [];
  const due: (() => void)[] = [];
  const screen = new Drawn();
  const flow = new Flow(screen);
  const link = new Link(
    {
      open: (place) => {
        const wire = new Wire(place?.from);
        wires.push(wire);
        return wire;
      },
      later: (_ms, then) => {
        due.push(then);
        return () => due.splice(due.indexOf(then), 1);
      },
      random: () => 0.5,
    },
    { hello: () => flow.connected(), output: (output) => flow.take(output), size: (size) => flow.size(size), state: (state) => states.push(state) },
    () => (flow.received > 0 ? { from: flow.received, epoch: undefined } : undefined),
  );
  const wire = (): Wire => {
    const last = wires.at(-1);
    if (last === undefined) throw new Error('nothing was opened');
    return last;
  };
  return { wires, wire, states, due, screen, flow, link, tick: () => due.shift()?.() };
}

describe('a console connection', () => {
  it('asks for a snapshot first and goes on from the last byte that arrived', () => {
    const { link, wire, wires, tick } = world();
    link.open();
    expect(wire().from).toBeUndefined();
    wire().hello(0, 0);
    wire().onmessage?.(writeOutput({ stream: 'terminal', next: 7, bytes: new Uint8Array(7) }));
    wire().breaks();
    tick();
    expect(wires.map(({ from }) => from)).toEqual([undefined, 7]);
  });

  it('loses and repeats no byte over 1,000 cuts', () => {
    const { link, wire, screen, tick } = world();
    const log = Uint8Array.from({ length: 40_000 }, (_, at) => (at * 31 + (at >> 8)) & 0xff);
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff;
      return seed % below;
    };
    link.open();
    for (let cut = 0; cut < 1000; cut += 1) {
      const one = wire();
      let at = one.from ?? 0;
      if (random(10) > 0) one.hello(0, log.length);
      for (let frames = random(4); frames > 0; frames -= 1) {
        const next = Math.min(log.length, at + 1 + random(60));
        one.onmessage?.(writeOutput({ stream: 'terminal', next, bytes: log.subarray(at, next) }));
        at = next;
      }
      one.breaks();
      // What arrives late on a connection that was given up must not count.
      one.onmessage?.(writeOutput({ stream: 'terminal', next: at + 5, bytes: new Uint8Array(5) }));
      tick();
    }
    const at = wire().from ?? 0;
    wire().onmessage?.(writeOutput({ stream: 'terminal', next: log.length, bytes: log.subarray(at) }));
    expect(Uint8Array.from(screen.bytes)).toEqual(log);
  });

  it('keeps what is typed while away and sends it when back', () => {
    const { link, wire, tick } = world();
    link.open();
    wire().hello(0, 0);
    wire().breaks();
    link.type(new TextEncoder().encode('ls'));
    tick();
    expect(wire().sent).toEqual([]);
    wire().hello(0, 0);
    expect(wire().sent).toContainEqual(new TextEncoder().encode('ls'));
  });

  it('says its size again on each connection', () => {
    const { link, wire, tick } = world();
    link.open();
    link.resize(120, 40);
    expect(wire().sent).toEqual([]);
    wire().hello(0, 0);
    wire().breaks();
    tick();
    wire().hello(0, 0);
    expect(wire().sent).toContain('{"type":"resize","cols":120,"rows":40}');
  });

  it('does not come back after an exit or an error, but does when opened again', () => {
    for (const text of ['{"type":"exit","code":3,"signal":null,"oom":false}', '{"type":"error","code":"failed","message":"No."}']) {
      const { link, wire, wires, states, due } = world();
      link.open();
      wire().hello(0, 0);
      wire().onmessage?.(text);
      wire().breaks();
      expect(due).toEqual([]);
      expect(states.at(-1)?.kind).toBe(readText(text)?.type === 'exit' ? 'ended' : 'failed');
      link.open();
      expect(wires.length).toBe(2);
    }
  });

  it('tries again later and later', () => {
    const { link, wire, states, tick } = world();
    link.open();
    for (let tries = 0; tries < 7; tries += 1) {
      wire().breaks();
      tick();
    }
    const waits = states.flatMap((state) => (state.kind === 'reconnecting' ? [state.waitMs] : []));
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
  });

  it('opens nothing more once it is closed', () => {
    const { link, wire, due } = world();
    link.open();
    wire().breaks();
    link.close();
    expect(due).toEqual([]);
  });
});
