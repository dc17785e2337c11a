// Measures the terminal as the window uses it: the same classes, with a console in the page instead of a daemon.
// `run.ts` drives it in Chromium; a WebDriver drives the same page in the real window's engine.

import '../src/theme/tokens.css';
import '../src/theme/code.css';
import { palette } from '../src/terminal/palette.ts';
import type { Renderer } from '../src/terminal/renderer.ts';
import { Screen } from '../src/terminal/screen.ts';
import { Terminal } from '../src/terminal/terminal.ts';
import { Console } from './daemon.ts';

const MIB = 1024 * 1024;

function place(): HTMLElement {
  const host = document.querySelector<HTMLElement>('#host');
  if (host === null) throw new Error('the page has no #host');
  return host;
}

function terminal(renderer: Renderer, open: () => Console): Terminal {
  const world = { open, later: () => () => undefined, random: () => 0 };
  const look = { fontSize: 13, fontFamily: 'monospace', screenReader: false, renderer, theme: palette(document.documentElement), contrast: 1, motion: false };
  const made = new Terminal('interactive', world, new Screen(false, look));
  const nothing = () => undefined;
  made.attach(place(), { state: nothing, key: nothing, link: nothing, title: nothing, found: nothing });
  return made;
}

/** Output as coding agents print it: coloured lines, some of them drawn over again. */
function output(bytes: number): Uint8Array {
  const lines = Array.from({ length: 400 }, (_, at) => {
    const number = String(at).padStart(4);
    if (at % 9 === 0) return `\x1b[2K\r\x1b[38;5;${at % 256}m● Working\x1b[0m \x1b[2m(${at} s · esc to interrupt)\x1b[22m\r\n`;
    return `\x1b[32m${number}\x1b[39m  const value${at} = \x1b[33m"${'x'.repeat(at % 60)}"\x1b[39m; // é ✓ ${at}\r\n`;
  });
  const block = new TextEncoder().encode(lines.join(''));
  const all = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += block.byteLength) all.set(block.subarray(0, Math.min(block.byteLength, bytes - at)), at);
  return all;
}

function frame(): Promise<number> {
  return new Promise((done) => requestAnimationFrame(() => {
    const after = new MessageChannel();
    after.port1.onmessage = () => done(performance.now());
    after.port2.postMessage(0);
  }));
}

async function drawn(one: Terminal, to: number): Promise<number> {
  for (;;) {
    const at = await frame();
    if (one.progress.parsed >= to) return at;
  }
}

/** The longest time in which nothing else could run, in milliseconds. */
class Stalls {
  longest = 0;
  #last = performance.now();
  #timer = setInterval(() => {
    const now = performance.now();
    this.longest = Math.max(this.longest, now - this.#last);
    this.#last = now;
  }, 1);
  end(): number {
    clearInterval(this.#timer);
    return this.longest;
  }
}

async function throughput(renderer: Renderer, mib = 50) {
  const log = output(mib * MIB);
  const one = terminal(renderer, () => new Console(log));
  const stalls = new Stalls();
  const began = performance.now();
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, one.progress.unparsed)), 2);
  const ended = await drawn(one, log.byteLength);
  clearInterval(watch);
  const stall = stalls.end();
  one.dispose();
  return { mbPerSecond: (mib * MIB) / 1e6 / ((ended - began) / 1000), longestStallMs: stall, mostUnparsed: most };
}

async function attach(renderer: Renderer, mib = 2) {
  const log = output(mib * MIB);
  const began = performance.now();
  const one = terminal(renderer, () => new Console(log, log.byteLength));
  const ended = await drawn(one, log.byteLength);
  one.dispose();
  return { ms: ended - began };
}

/** From a keydown that the driver presses to the first frame after its echo was parsed. */
class Typing {
  readonly samples: number[] = [];
  readonly #one: Terminal;
  readonly #heard = new AbortController();

  constructor(renderer: Renderer, history: number) {
    const log = output(history);
    this.#one = terminal(renderer, () => new Console(log));
    window.addEventListener('keydown', () => void this.#pressed(performance.now()), { capture: true, signal: this.#heard.signal });
  }

  async ready(): Promise<void> {
    await frame();
    while (this.#one.progress.unparsed > 0 || this.#one.progress.parsed === 0) await frame();
    this.#one.focus();
  }

  end(): number[] {
    this.#heard.abort();
    this.#one.dispose();
    return this.samples;
  }

  async #pressed(at: number): Promise<void> {
    const echoed = this.#one.progress.parsed + 1;
    this.samples.push((await drawn(this.#one, echoed)) - at);
  }
}

let typing: Typing | undefined;
const bench = {
  throughput,
  attach,
  async beginTyping(renderer: Renderer, history = 256 * 1024) {
    typing = new Typing(renderer, history);
    await typing.ready();
  },
  endTyping: () => typing?.end() ?? [],
};
Object.assign(window, { bench });
export type Bench = typeof bench;
