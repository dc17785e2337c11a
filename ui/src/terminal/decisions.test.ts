import { describe, expect, it } from 'vitest';
import { readOutput, readText, writeOutput } from './frames.ts';
import { terminalKey } from './keys.ts';
import { printedLink } from './links.ts';
import { pasteable } from './paste.ts';
import { Pool } from './pool.ts';
import { Pipes, unfinished } from './print.ts';
import { renderer } from './renderer.ts';
import { place, Replay } from './replay.ts';

describe('frames', () => {
  it('round-trip, also beyond 32 bits', () => {
    const output = { stream: 'stderr' as const, next: 2 ** 40, bytes: Uint8Array.of(104, 105, 255) };
    expect(readOutput(writeOutput(output))).toEqual(output);
  });

  it('are refused when short, of an unknown stream or past what a number holds', () => {
    expect(readOutput(new Uint8Array(8))).toBeUndefined();
    expect(readOutput(new Uint8Array([9, 0, 0, 0, 0, 0, 0, 0, 0]))).toBeUndefined();
    expect(readOutput(new Uint8Array([0, 255, 255, 255, 255, 255, 255, 255, 255]))).toBeUndefined();
  });

  it('of text that we do not know are skipped', () => {
    for (const text of ['', '1', 'null', '{}', '{"type":"later"}']) expect(readText(text)).toBeUndefined();
    expect(readText('{"type":"exit","code":0,"signal":null,"oom":false}')?.type).toBe('exit');
  });
});

describe('a place in the log', () => {
  it('is gone on from where the log still has it', () => {
    expect(place({ offset_start: 0, offset_end: 9, epoch: 1 }, 9, 1)).toBe('go-on');
    expect(place({ offset_start: 5, offset_end: 9, epoch: 1 }, 5, 1)).toBe('go-on');
    expect(place({ offset_start: 5, offset_end: 9, epoch: 1 }, 4, 1)).toBe('restart');
    expect(place({ offset_start: 0, offset_end: 9, epoch: 1 }, 10, 1)).toBe('restart');
    expect(place({ offset_start: 0, offset_end: 9, epoch: 2 }, 9, 1)).toBe('restart');
    expect(place({ offset_start: 0, offset_end: 9, epoch: 2 }, 0, 1)).toBe('go-on');
  });

  it('before the newest byte is history, which gets no answers', () => {
    const replay = new Replay();
    replay.began(100);
    expect(replay.old(99)).toBe(true);
    expect(replay.old(100)).toBe(false);
  });
});

describe('two pipes on one screen', () => {
  it('finds the beginning of a character that is not whole', () => {
    expect(unfinished(new TextEncoder().encode('aé'))).toBe(0);
    expect(unfinished(new TextEncoder().encode('aé').subarray(0, 2))).toBe(1);
    expect(unfinished(new TextEncoder().encode('🙂').subarray(0, 3))).toBe(3);
    expect(unfinished(Uint8Array.of(0x80, 0x80, 0x80, 0x80))).toBe(0);
  });

  it('cuts no character where the streams take turns', () => {
    const pipes = new Pipes();
    const bytes = new TextEncoder().encode('é');
    const first = pipes.merge('stdout', bytes.subarray(0, 1));
    const between = pipes.merge('stderr', new TextEncoder().encode('!'));
    const second = pipes.merge('stdout', bytes.subarray(1));
    expect(new TextDecoder().decode(Uint8Array.of(...first, ...between, ...second))).toBe('\x1b[33m!\x1b[39mé');
  });
});

describe('a paste', () => {
  it('cannot end itself early', () => {
    expect(pasteable('a\x1b[201~rm -rf /\r\nb\tc\u009b201~')).toBe('a[201~rm -rf /\nb\tc201~');
  });
});

describe('keys', () => {
  const press = (key: string, held: Partial<Record<'ctrlKey' | 'shiftKey' | 'altKey' | 'metaKey', boolean>>) => ({
    key,
    ctrlKey: false,
    shiftKey: false,
    altKey: false,
    metaKey: false,
    ...held,
  });
  it('of the agent stay its own', () => {
    for (const key of ['c', 'v', 'f', 'k', 'n', 'd', 'r', 'Escape'])
      expect(terminalKey(press(key, { ctrlKey: true }), false)).toBeUndefined();
    for (const key of ['c', 'v', 'f']) expect(terminalKey(press(key, { ctrlKey: true }), true)).toBeUndefined();
  });
  it('of the window are copy, paste, find, size and leave', () => {
    expect(terminalKey(press('C', { ctrlKey: true, shiftKey: true }), false)).toBe('copy');
    expect(terminalKey(press('c', { metaKey: true }), true)).toBe('copy');
    expect(terminalKey(press('V', { ctrlKey: true, shiftKey: true }), false)).toBe('paste');
    expect(terminalKey(press('F', { ctrlKey: true, shiftKey: true }), false)).toBe('find');
    expect(terminalKey(press('+', { ctrlKey: true, shiftKey: true }), false)).toBe('larger');
    expect(terminalKey(press('-', { ctrlKey: true }), false)).toBe('smaller');
    expect(terminalKey(press('Escape', { ctrlKey: true, shiftKey: true }), false)).toBe('leave');
  });
});

describe('links', () => {
  it('are only the web’s, and say what is odd', () => {
    for (const text of ['javascript:alert(1)', 'file:///etc/passwd', 'vscode://x', 'data:text/html,x', 'nothing']) {
      expect(printedLink(text)).toBeUndefined();
    }
    expect(printedLink('https://github.com/a/b')).toEqual({ address: 'https://github.com/a/b', host: 'github.com', warning: undefined });
    for (const text of ['https://user@evil.example/', 'https://аpple.com/', `https://a.example/?${'x'.repeat(300)}`, 'http://a.example/']) {
      expect(printedLink(text)?.warning).toBeDefined();
    }
  });
});

describe('the renderer', () => {
  const yes = () => true;
  const no = () => false;

  it('is the DOM on WebKitGTK and WebGL elsewhere, unless a person says otherwise', () => {
    const gtk = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15';
    const chromium = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';
    const mac = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)';
    expect(renderer('auto', gtk, yes)).toBe('dom');
    expect(renderer('auto', chromium, yes)).toBe('webgl');
    expect(renderer('auto', mac, yes)).toBe('webgl');
    expect(renderer('webgl', gtk, yes)).toBe('webgl');
  });

  it('asks for WebGL only where the answer matters', () => {
    const asked = () => {
      throw new Error('asked');
    };
    expect(renderer('auto', 'X11; Linux AppleWebKit/605.1.15 Safari/605.1.15', asked)).toBe('dom');
    expect(renderer('dom', 'Chrome/140', asked)).toBe('dom');
  });

  it('is the DOM where the processor would have to draw WebGL', () => {
    expect(renderer('auto', 'Chrome/140', no)).toBe('dom');
    expect(renderer('webgl', 'Chrome/140', no)).toBe('webgl');
  });
});

describe('the pool', () => {
  it('lets the least recently shown go, and never one that is shown', () => {
    const gone: string[] = [];
    const pool = new Pool((id) => ({ dispose: () => gone.push(id) }), 2);
    pool.take('a');
    pool.take('b');
    pool.release('b');
    pool.take('c');
    expect(gone).toEqual(['b']);
    pool.take('d');
    expect(gone).toEqual(['b']);
    pool.release('a');
    expect(gone).toEqual(['b', 'a']);
    expect(pool.has('a')).toBe(false);
  });
});
