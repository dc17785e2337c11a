import { describe, expect, test } from 'vitest';
import { session } from '../testing/session.ts';
import { after, wait, type World } from './world.ts';

const start = after(null, { type: 'state', seq: 4, sessions: [session({ id: 'a' })], network_paused: false, disk_full: false }) as World;

describe('the stream of events', () => {
  test('begins with the whole state', () => {
    expect([start.seq, [...start.sessions.keys()], start.paused]).toEqual([4, ['a'], false]);
    expect(after(null, { type: 'network', seq: 1, paused: true })).toBe('lost');
  });

  test('adds, changes and removes', () => {
    const added = after(start, { type: 'session', seq: 5, session: session({ id: 'b' }) }) as World;
    expect([...added.sessions.keys()]).toEqual(['a', 'b']);
    const changed = after(added, { type: 'session', seq: 6, session: session({ id: 'a', title: 'New' }) }) as World;
    expect(changed.sessions.get('a')?.title).toBe('New');
    expect(added.sessions.get('a')?.title).toBeNull();
    const removed = after(changed, { type: 'removed', seq: 7, id: 'a' }) as World;
    expect([...removed.sessions.keys()]).toEqual(['b']);
    const paused = after(removed, { type: 'network', seq: 8, paused: true }) as World;
    const full = after(paused, { type: 'disk', seq: 9, full: true }) as World;
    expect([full.paused, full.diskFull, full.sessions.size]).toEqual([true, true, 1]);
  });

  test('skips what is known already', () => {
    expect(after(start, { type: 'removed', seq: 4, id: 'a' })).toBe(start);
  });

  test('asks for the whole state again where a change is missing', () => {
    expect(after(start, { type: 'removed', seq: 6, id: 'a' })).toBe('lost');
  });

  test('takes a later whole state as it is, even with a smaller number', () => {
    const again = after(start, { type: 'state', seq: 1, sessions: [], network_paused: true, disk_full: false }) as World;
    expect([again.seq, again.sessions.size, again.paused]).toEqual([1, 0, true]);
  });
});

test('waits longer with each attempt, up to eight seconds, and never all at once', () => {
  expect([0, 1, 2, 5, 50].map((attempt) => wait(attempt, 0))).toEqual([250, 500, 1000, 8000, 8000]);
  expect(wait(5, 1)).toBe(4000);
});
