import { describe, expect, it } from 'vitest';
import type { Session } from '../api/types.ts';
import { banner } from './banner.ts';
import type { LinkState } from './link.ts';

const session = (part: Partial<Session>): Session => ({ mode: 'interactive', ...part }) as Session;
const live: LinkState = { kind: 'live' };

describe('a terminal’s banner', () => {
  it('is absent while the agent runs and is connected, or was lost for a moment', () => {
    expect(banner(session({ state: 'running' }), live)).toBeUndefined();
    expect(banner(session({ state: 'running' }), { kind: 'reconnecting', attempt: 1, waitMs: 1 })).toBeUndefined();
  });

  it('offers what helps', () => {
    const cases: [Session, LinkState, string, string | undefined][] = [
      [session({ state: 'stopped' }), live, 'Stopped', 'start'],
      [session({ state: 'failed', reason: 'No image.' }), live, 'Failed', 'start'],
      [session({ state: 'stopped', mode: 'print' }), live, 'Stopped', undefined],
      [session({ state: 'exited', code: 0 }), live, 'Ended', 'start'],
      [session({ state: 'exited', code: 1, mode: 'print' }), live, 'Failed', undefined],
      [session({ state: 'unknown', reason: 'no engine' }), live, 'Unknown', undefined],
      [session({ state: 'starting' }), live, 'Starting', undefined],
      [session({ state: 'running' }), { kind: 'reconnecting', attempt: 2, waitMs: 1 }, 'Connection lost', 'retry'],
      [session({ state: 'running' }), { kind: 'failed', error: { code: 'failed', message: 'No.' } }, 'No terminal', 'retry'],
    ];
    for (const [one, link, word, action] of cases) expect(banner(one, link)).toMatchObject({ word, action });
  });

  it('names want of memory and signals', () => {
    const link: LinkState = { kind: 'ended', exit: { code: 137, signal: 9, oom: true } };
    expect(banner(session({ state: 'exited', code: 137 }), link)?.text).toContain('memory');
    expect(banner(session({ state: 'exited', code: 137 }), { kind: 'ended', exit: { code: 137, signal: 9, oom: false } })?.text).toContain('signal 9');
  });
});
