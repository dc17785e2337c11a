import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Session } from '../api/types.ts';
import { defaults } from '../state/desk.ts';
import { session } from '../testing/session.ts';
import { noticeOf, Notices } from './notices.ts';

let visible: boolean;
let shown: string[];
let now: Session;
let wanted = defaults.notifications;
let notices: Notices;

function change(next: Parameters<typeof session>[0]) {
  const before = now;
  now = session({ notify: true, ...next });
  notices.hear({ before, now });
}

beforeEach(() => {
  vi.useFakeTimers();
  [visible, shown, now, wanted] = [false, [], session(), { ...defaults.notifications }];
  const shell = { visible: () => visible, notify: (notice: { body: string }) => (shown.push(notice.body), Promise.resolve()) };
  notices = new Notices(shell, () => wanted, () => now, () => undefined);
});

afterEach(() => {
  notices.dispose();
  vi.useRealTimers();
});

test('comes when a state has lasted five seconds', () => {
  change({ standing: 'ready' });
  vi.advanceTimersByTime(4999);
  expect(shown).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(shown).toEqual(['Its work is ready for review.']);
});

test('does not come for a state that passed, for a visible page, a muted session or an unwanted kind', () => {
  change({ standing: 'ready' });
  change({ standing: 'working' });
  vi.advanceTimersByTime(6000);
  visible = true;
  change({ standing: 'needs-you', needs_you: true });
  vi.advanceTimersByTime(6000);
  visible = false;
  change({ standing: 'working' });
  change({ standing: 'ready', notify: false });
  vi.advanceTimersByTime(6000);
  wanted.finished = false;
  change({ standing: 'working' });
  change({ standing: 'ready' });
  vi.advanceTimersByTime(6000);
  expect(shown).toEqual([]);
});

test('comes once a minute at most for one session', () => {
  for (let turn = 0; turn < 3; turn++) {
    change({ standing: 'working' });
    change({ standing: 'ready' });
    vi.advanceTimersByTime(10_000);
  }
  expect(shown).toHaveLength(1);
  vi.advanceTimersByTime(60_000);
  change({ standing: 'working' });
  change({ standing: 'ready' });
  vi.advanceTimersByTime(6000);
  expect(shown).toHaveLength(2);
});

test('says what happened', () => {
  const before = session();
  expect(noticeOf({ before, now: session({ state: 'failed', reason: 'No disk.' }) })).toEqual({ kind: 'failed', body: 'No disk.' });
  expect(noticeOf({ before, now: session({ state: 'exited', code: 1 }) })?.kind).toBe('failed');
  expect(noticeOf({ before, now: session({ standing: 'idle' }) })).toBeNull();
  expect(noticeOf({ before: undefined, now: session({ standing: 'needs-you', needs_you: true }) })).toBeNull();
});
