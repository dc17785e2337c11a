import { describe, expect, it } from 'vitest';
import type { NativeDrop } from '../shell/shell.ts';
import { inserted, judge, LIMIT, pastedName, takesFiles } from './check.ts';
import { Drops } from './drops.ts';
import type { Item } from './model.svelte.ts';

const file = (name: string, bytes = 1, folder = false) => ({ name, bytes, folder });

describe('what is dropped', () => {
  it('goes when it is a file of at most 100 MB', () => {
    expect(
      judge([file('a.png'), file('big', LIMIT), file('bigger', LIMIT + 1), file('src', 0, true), file(' ')]).map(({ kind }) => kind),
    ).toEqual(['send', 'send', 'refuse', 'refuse', 'refuse']);
    expect(judge([file('x', 250 * 1024 * 1024)])[0]).toMatchObject({ reason: 'It has 250 MB; a file may have 100.' });
  });

  it('goes fifty at once, not counting what is refused anyway', () => {
    const verdicts = judge([file('folder', 0, true), ...Array.from({ length: 51 }, (_, at) => file(`f${at}`))]);
    expect(verdicts.filter(({ kind }) => kind === 'send')).toHaveLength(50);
    expect(verdicts.at(-1)).toMatchObject({ kind: 'refuse' });
  });

  it('is inserted as paths with a space after each', () => {
    expect(inserted(['/clauderon/uploads/a.png', '/clauderon/uploads/b'])).toBe('/clauderon/uploads/a.png /clauderon/uploads/b ');
  });

  it('from the clipboard gets a name', () => {
    expect(pastedName('image/png', new Date(2026, 0, 1, 9, 5, 7))).toBe('pasted-090507.png');
  });

  it('is taken only by a session that runs a terminal', () => {
    const session = { state: 'running', mode: 'interactive', archived_ms: null };
    expect(takesFiles(session)).toBeUndefined();
    for (const part of [{ state: 'stopped' }, { state: 'starting' }, { mode: 'print' }, { archived_ms: 1 }]) {
      expect(takesFiles({ ...session, ...part })).toBeDefined();
    }
  });
});

describe('a drag', () => {
  const item = (name: string, folder: boolean) => ({ getAsFile: () => new File(['x'], name), webkitGetAsEntry: () => ({ isDirectory: folder }) });
  const drag = (kind: string, types = ['Files']) =>
    Object.assign(new Event(kind, { cancelable: true }), { dataTransfer: { types, dropEffect: 'none', items: [item('a.png', false), item('src', true)] } });
  const part = (takes: boolean) => {
    const heard: unknown[] = [];
    return { heard, takes: () => takes, over: (here: boolean) => void heard.push(here), take: (items: readonly Item[]) => void heard.push(items.map(({ name, folder }) => [name, folder])) };
  };
  const make = () => {
    const page = new EventTarget();
    let native: (drop: NativeDrop) => void = () => undefined;
    const drops = new Drops(page, { onDrop: (listener) => ((native = listener), () => undefined), readDropped: (path) => Promise.resolve(new Blob([path])) });
    const send = (kind: string, types?: string[]) => {
      const event = drag(kind, types);
      page.dispatchEvent(event);
      return event;
    };
    return { drops, send, native: (drop: NativeDrop) => native(drop) };
  };

  it('goes to the part that was shown last, and to the one before it afterwards', () => {
    const { drops, send } = make();
    const [first, last] = [part(true), part(true)];
    drops.to(first);
    const leave = drops.to(last);
    send('dragenter');
    expect(send('dragover').dataTransfer.dropEffect).toBe('copy');
    send('drop');
    expect(last.heard).toEqual([true, false, [['a.png', false], ['src', true]]]);
    expect(first.heard).toEqual([]);
    leave();
    send('drop');
    expect(first.heard).toEqual([false, [['a.png', false], ['src', true]]]);
  });

  it('is held off where nothing is taken, and never opened by the browser', () => {
    const { drops, send } = make();
    expect(send('drop').defaultPrevented).toBe(true);
    const closed = part(false);
    drops.to(closed);
    expect(send('dragover').dataTransfer.dropEffect).toBe('none');
    expect(send('drop').defaultPrevented).toBe(true);
    expect(closed.heard).toEqual([false]);
    expect(send('drop', ['text/plain']).defaultPrevented).toBe(false);
  });

  it('of the native window brings paths', async () => {
    const { drops, native } = make();
    let taken: readonly Item[] = [];
    drops.to({ ...part(true), take: (items) => (taken = items) });
    native({ kind: 'drop', x: 0, y: 0, paths: ['/x/a.png'], files: [{ path: '/x/a.png', name: 'a.png', bytes: 1, folder: false }] });
    expect(taken[0]).toMatchObject({ name: 'a.png', path: '/x/a.png', folder: false });
    expect(await (await taken[0]?.blob())?.text()).toBe('/x/a.png');
  });
});
