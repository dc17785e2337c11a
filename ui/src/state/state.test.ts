import { describe, expect, test } from 'vitest';
import type { Desk as WireDesk } from '../api/types.ts';
import { session } from '../testing/session.ts';
import { themeOf } from '../app/appearance.ts';
import { announce } from '../app/announce.ts';
import { Desk } from './desk.svelte.ts';
import { defaults, read } from './desk.ts';
import { hashFor, parseRoute, type Route } from './route.ts';
import { badge, line } from './standing.ts';

test('every address leads back to where it came from', () => {
  const routes: Route[] = [
    { page: 'sessions' },
    { page: 'setup' },
    { page: 'settings', section: 'storage' },
    { page: 'session', id: 'ab/c', tab: 'diff', beside: null },
    { page: 'session', id: 'a', tab: 'terminal', beside: 'b&c' },
  ];
  for (const route of routes) expect(parseRoute(hashFor(route))).toEqual(route);
  expect(parseRoute('')).toEqual({ page: 'sessions' });
  expect(parseRoute('#/session/a/nonsense')).toMatchObject({ tab: 'chat' });
  expect(parseRoute('#/settings/nonsense')).toMatchObject({ section: 'accounts' });
});

describe('what the window remembers', () => {
  test('is laid over the defaults', () => {
    expect(read({})).toEqual(defaults);
    expect(read({ appearance: 'dark', create: { agent: 'codex' } })).toMatchObject({ appearance: 'dark', create: { agent: 'codex', posture: 'balanced' } });
  });

  test('is left out where its type is wrong', () => {
    expect(read({ fontSize: 'huge', sidebar: 3, collapsed: 'x' })).toEqual(defaults);
  });

  test('keeps what was changed before it was read, and is never written over unread', async () => {
    const saved: unknown[] = [];
    let answer: (kept: WireDesk) => void = () => undefined;
    let asked = 0;
    const desk = new Desk({
      desk: () => {
        asked += 1;
        return asked === 1 ? Promise.reject(new Error('away')) : new Promise((done) => (answer = done));
      },
      saveDesk: (settings) => Promise.resolve(void saved.push(settings)),
    });
    await desk.flush();
    await desk.load();
    desk.change((settings) => (settings.fontSize = 16));
    const flushed = desk.flush();
    expect(saved).toEqual([]);
    answer({ welcomed: true });
    await flushed;
    expect(saved).toMatchObject([{ fontSize: 16, welcomed: true }]);
    expect(desk.settings).toMatchObject({ fontSize: 16, welcomed: true });
    await desk.flush();
    expect([saved.length, asked]).toEqual([1, 2]);
  });

  test('keeps what another version wrote', () => {
    expect(read({ later: { x: 1 } })).toMatchObject({ later: { x: 1 } });
  });
});

test('a state is a word, an icon and a colour', () => {
  const check = (change: Parameters<typeof session>[0], word: string, tone: string, paused = false) => {
    const { word: w, tone: t } = badge(session(change), paused);
    expect([w, t]).toEqual([word, tone]);
  };
  const since_ms = 1;
  check({ status: { status: 'needs_input', item: null, since_ms } }, 'Needs input', 'yellow');
  check({ status: { status: 'needs_approval', item: null, since_ms } }, 'Needs approval', 'yellow');
  check({ status: { status: 'stuck', since_ms } }, 'Stuck', 'yellow');
  check({ status: { status: 'failed', why: 'Overloaded.', since_ms } }, 'Failed', 'red');
  check({ status: { status: 'interrupted', since_ms } }, 'Interrupted', 'orange');
  check({ status: { status: 'working', doing: null, since_ms } }, 'Working', 'accent');
  check({ standing: 'ready', status: { status: 'idle', since_ms } }, 'Ready', 'green');
  check({ standing: 'idle', status: { status: 'idle', since_ms } }, 'Idle', 'grey');
  check({ status: { status: 'unknown', since_ms } }, 'Unknown', 'grey');
  check({ state: 'stopped' }, 'Stopped', 'grey');
  check({ state: 'failed', reason: 'x' }, 'Failed', 'red');
  check({ state: 'exited', code: 3 }, 'Exited 3', 'red');
  check({ state: 'exited', code: 0, standing: 'done' }, 'Done', 'green');
  check({ standing: 'archived', state: 'stopped' }, 'Archived', 'grey');
  check({}, 'Egress held', 'orange', true);
  check({ state: 'stopped' }, 'Stopped', 'grey', true);
});

test('a session says what it works on, or why it failed, or the last that is known', () => {
  const check = (change: Parameters<typeof session>[0], expected: string) => expect(line(session({ last_line: 'Fix the login', ...change }))).toBe(expected);
  check({ status: { status: 'working', doing: 'Editing a', since_ms: 1 } }, 'Editing a');
  check({ status: { status: 'failed', why: 'Overloaded.', since_ms: 1 } }, 'Overloaded.');
  check({ status: { status: 'stuck', since_ms: 1 } }, 'Nothing passes between it and the model');
  check({ status: { status: 'idle', since_ms: 1 } }, 'Fix the login');
  check({ state: 'failed', reason: 'No disk.' }, 'No disk.');
  check({ state: 'exited', code: 0, status: { status: 'failed', why: 'x', since_ms: 1 } }, 'Fix the login');
});

test('a screen reader hears of what matters alone', () => {
  const before = session({ title: 'Fix' });
  const check = (change: Parameters<typeof session>[0], expected: string | null) => expect(announce({ before, now: session({ title: 'Fix', ...change }) })).toBe(expected);
  check({ standing: 'needs-you' }, 'Fix needs you.');
  check({ standing: 'ready' }, 'Fix is ready for review.');
  check({ state: 'failed', reason: 'No disk.' }, 'Fix failed: No disk.');
  check({ state: 'exited', code: 0, standing: 'done' }, 'Fix is finished.');
  check({ last_line: 'x' }, null);
  expect(announce({ before: undefined, now: before })).toBeNull();
});

test('the system decides the theme only where it is asked to', () => {
  expect(themeOf('system', { light: true, contrast: false })).toBe('light');
  expect(themeOf('system', { light: true, contrast: true })).toBe('contrast');
  expect(themeOf('dark', { light: true, contrast: true })).toBe('dark');
});
