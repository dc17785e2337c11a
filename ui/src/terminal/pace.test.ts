import { describe, expect, it } from 'vitest';
import { APART, FLOOD, MUCH, Pace } from './pace.ts';

/** A world whose time and frames come when they are told to. */
function world() {
  const frames = new Map<number, FrameRequestCallback>();
  const timers = new Set<{ due: number; then: () => void }>();
  let now = 1000;
  let ids = 0;
  const pace = new Pace({
    now: () => now,
    frame: (draw) => {
      frames.set(++ids, draw);
      return ids;
    },
    cancelFrame: (id) => frames.delete(id),
    later: (ms, then) => {
      const timer = { due: now + ms, then };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  });
  const pass = (ms: number): void => {
    now += ms;
    for (const timer of [...timers].filter(({ due }) => due <= now)) {
      timers.delete(timer);
      timer.then();
    }
    for (const [id, draw] of [...frames]) {
      frames.delete(id);
      draw(now);
    }
  };
  return { pace, pass };
}

describe('pace', () => {
  it('draws each frame that is asked for while nothing waits', () => {
    const { pace, pass } = world();
    const drawn: number[] = [];
    for (let frame = 0; frame < 3; frame += 1) {
      pace.request((at) => drawn.push(at));
      pass(16);
    }
    expect(drawn).toEqual([1016, 1032, 1048]);
  });

  it('draws few frames while it is behind', () => {
    const { pace, pass } = world();
    const drawn: number[] = [];
    pace.wrote(MUCH + 1);
    const again = (at: number): void => {
      drawn.push(at);
      pace.request(again);
    };
    pace.request(again);
    for (let ms = 0; ms < 1000; ms += 4) pass(4);
    expect(drawn.length).toBeLessThanOrEqual(1 + 1000 / APART);
    expect(drawn.length).toBeGreaterThan(1);
  });

  it('draws at once what was held when it has caught up', () => {
    const { pace, pass } = world();
    const drawn: string[] = [];
    pace.wrote(MUCH + 1);
    pace.request(() => drawn.push('first'));
    pass(4);
    pace.request(() => drawn.push('held'));
    pass(4);
    expect(drawn).toEqual(['first']);
    pace.parsed(MUCH + 1);
    pass(4);
    expect(drawn).toEqual(['first', 'held']);
    pass(APART);
    expect(drawn).toEqual(['first', 'held']);
  });

  it('draws few frames while much comes on and on, however quickly it is parsed, and all of them soon after', () => {
    const { pace, pass } = world();
    const drawn: number[] = [];
    const again = (at: number): void => {
      drawn.push(at);
      pace.request(again);
    };
    pace.request(again);
    for (let ms = 0; ms < 1000; ms += 4) {
      pace.wrote(32 * 1024);
      pace.parsed(32 * 1024);
      pass(4);
    }
    const flooded = drawn.length;
    // Of 250: those before it was known for a flood, and those of the pace.
    expect(flooded).toBeLessThan(50);
    for (let ms = 0; ms < 400; ms += 4) pass(4);
    const calm = drawn.length;
    for (let ms = 0; ms < 400; ms += 4) pass(4);
    expect(drawn.length - calm).toBe(100);
    expect(calm).toBeGreaterThan(flooded);
  });

  it('holds nothing back for a history that is shown again', () => {
    const { pace, pass } = world();
    const drawn: number[] = [];
    pace.wrote(FLOOD / 2);
    pace.request((at) => drawn.push(at));
    pass(4);
    pace.request((at) => drawn.push(at));
    pace.parsed(FLOOD / 2);
    pass(4);
    expect(drawn).toEqual([1004, 1008]);
  });

  it('never draws what was taken back, held or not', () => {
    const { pace, pass } = world();
    const drawn: string[] = [];
    pace.cancel(pace.request(() => drawn.push('asked')));
    pace.request(() => drawn.push('drawn'));
    pass(4);
    pace.wrote(MUCH + 1);
    const held = pace.request(() => drawn.push('held'));
    pace.cancel(held);
    pace.parsed(MUCH + 1);
    pass(APART);
    expect(drawn).toEqual(['drawn']);
  });
});
