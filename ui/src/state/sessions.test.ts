import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Socket } from '../api/transport.ts';
import { session } from '../testing/session.ts';
import { Sessions } from './sessions.svelte.ts';

class Wire implements Socket {
  onopen?: () => void;
  onmessage?: (message: string | Uint8Array) => void;
  onclose?: (why: string) => void;
  closed = false;
  send(): void {}
  close(): void {
    this.closed = true;
  }
  say(event: unknown): void {
    this.onmessage?.(JSON.stringify(event));
  }
}

let wires: Wire[];
let sessions: Sessions;
const last = () => wires.at(-1) as Wire;
const state = (seq: number, ids: string[]) => ({ type: 'state', seq, sessions: ids.map((id) => session({ id })), network_paused: false, disk_full: false });
const ids = () => sessions.all.map((one) => one.id);

beforeEach(() => {
  vi.useFakeTimers();
  wires = [];
  sessions = new Sessions(() => {
    const wire = new Wire();
    wires.push(wire);
    return wire;
  });
  sessions.connect();
});

afterEach(() => {
  sessions.dispose();
  vi.useRealTimers();
});

test('shows the first state at once and later changes within a frame', () => {
  expect(sessions.loaded).toBe(false);
  last().say(state(1, ['a']));
  expect([sessions.loaded, sessions.connection.state, ids()]).toEqual([true, 'live', ['a']]);
  last().say({ type: 'session', seq: 2, session: session({ id: 'b' }) });
  vi.advanceTimersByTime(20);
  expect(ids()).toEqual(['a', 'b']);
});

test('connects again by itself, and keeps what it knew until then', () => {
  last().say(state(1, ['a']));
  last().onclose?.('gone');
  expect([sessions.connection.state, ids()]).toEqual(['lost', ['a']]);
  vi.advanceTimersByTime(300);
  expect(wires).toHaveLength(2);
  last().onclose?.('still gone');
  vi.advanceTimersByTime(600);
  expect(wires).toHaveLength(3);
  last().say(state(9, ['c']));
  vi.advanceTimersByTime(20);
  expect([sessions.connection.state, ids()]).toEqual(['live', ['c']]);
});

test('says when the daemon no longer knows this browser', async () => {
  sessions.dispose();
  sessions = new Sessions(
    () => {
      const wire = new Wire();
      wires.push(wire);
      return wire;
    },
    () => Promise.resolve(true),
  );
  sessions.connect();
  last().onclose?.('refused');
  await vi.advanceTimersByTimeAsync(300);
  expect(sessions.connection.state).toBe('signed-out');
  last().say(state(1, ['a']));
  expect(sessions.connection.state).toBe('live');
});

test('asks for everything again when a change is missing', () => {
  last().say(state(1, ['a']));
  const old = last();
  old.say({ type: 'removed', seq: 3, id: 'a' });
  expect([old.closed, wires.length]).toEqual([true, 2]);
  old.say({ type: 'removed', seq: 2, id: 'a' });
  last().say(state(3, ['b']));
  vi.advanceTimersByTime(20);
  expect(ids()).toEqual(['b']);
});

test('tells of live changes and never of what a connection replays', () => {
  const heard: string[] = [];
  sessions.onChange(({ now }) => heard.push(now.id));
  last().say(state(1, ['a']));
  last().onclose?.('gone');
  vi.advanceTimersByTime(300);
  last().say(state(2, ['a', 'b']));
  expect(heard).toEqual([]);
  last().say({ type: 'session', seq: 3, session: session({ id: 'a', standing: 'ready' }) });
  expect(heard).toEqual(['a']);
});

test('connects no more once it is disposed of', () => {
  sessions.dispose();
  last().onclose?.('gone');
  vi.advanceTimersByTime(20_000);
  expect(wires).toHaveLength(1);
});
