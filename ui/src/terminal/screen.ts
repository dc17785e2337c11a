// xterm.js, set up as a session's terminal: what it may do, what it must not. Everything that an agent prints goes through
// here, so titles, clipboard writes, links and answers to old questions end here unless a person asks for them.

import '@xterm/xterm/css/xterm.css';
import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { SerializeAddon } from '@xterm/addon-serialize';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import type { WebglAddon } from '@xterm/addon-webgl';
import { type ITheme, Terminal as Xterm } from '@xterm/xterm';
import type { Screen as FlowScreen, Size } from './flow.ts';
import type { Stream } from './frames.ts';
import { terminalKey, type TerminalKey } from './keys.ts';
import { Pace, paced } from './pace.ts';
import { pasteable } from './paste.ts';
import { Pipes } from './print.ts';
import type { Renderer } from './renderer.ts';
import { adoptingStyles, withAdoptedStyles } from './styles.ts';

/** Lines that can be scrolled back to. */
export const SCROLLBACK = 10_000;

export interface Look {
  fontSize: number;
  fontFamily: string;
  screenReader: boolean;
  renderer: Renderer;
  theme: ITheme;
  /** 4.5 in high contrast, so that no program's own colours become unreadable. */
  contrast: number;
  motion: boolean;
}

export interface ScreenListener {
  typed(bytes: Uint8Array): void;
  key(key: TerminalKey): void;
  link(text: string): void;
  title(title: string): void;
  bell(): void;
  found(found: { index: number; count: number }): void;
}

const DEAF: ScreenListener = {
  typed: () => undefined,
  key: () => undefined,
  link: () => undefined,
  title: () => undefined,
  bell: () => undefined,
  found: () => undefined,
};

/** Questions that a terminal answers by itself: who are you, where is the cursor, which modes and colours. */
const QUESTIONS = [
  { final: 'c' },
  { prefix: '>', final: 'c' },
  { prefix: '=', final: 'c' },
  { final: 'n' },
  { prefix: '?', final: 'n' },
  { intermediates: '$', final: 'p' },
  { prefix: '?', intermediates: '$', final: 'p' },
  { prefix: '>', final: 'q' },
  { final: 't' },
] as const;
const COLOUR_QUESTIONS = [4, 10, 11, 12];

export class Screen implements FlowScreen {
  readonly #term: Xterm;
  readonly #fit = new FitAddon();
  readonly #search = new SearchAddon();
  readonly #serialize = new SerializeAddon();
  readonly #element = document.createElement('div');
  readonly #pace = new Pace({
    now: () => performance.now(),
    frame: (draw) => requestAnimationFrame(draw),
    cancelFrame: (id) => cancelAnimationFrame(id),
    later: (ms, then) => {
      const timer = setTimeout(then, ms);
      return () => clearTimeout(timer);
    },
  });
  #webgl: WebglAddon | undefined;
  #renderer: Renderer = 'dom';
  #pipes = new Pipes();
  #opened = false;
  #listener = DEAF;
  #old = (): boolean => true;

  constructor(
    private readonly readOnly: boolean,
    look: Look,
  ) {
    this.#element.className = 'terminal-screen';
    paced(this.#element, this.#pace);
    this.#term = new Xterm({
      allowProposedApi: true,
      documentOverride: withAdoptedStyles(document),
      scrollback: SCROLLBACK,
      disableStdin: readOnly,
      convertEol: readOnly,
      cursorStyle: 'bar',
      cursorInactiveStyle: readOnly ? 'none' : 'outline',
      macOptionIsMeta: true,
      drawBoldTextInBrightColors: false,
      scrollOnUserInput: true,
      linkHandler: { activate: (_event, text) => this.#listener.link(text), allowNonHttpProtocols: false },
    });
    this.#term.loadAddon(this.#fit);
    this.#term.loadAddon(this.#search);
    this.#term.loadAddon(this.#serialize);
    this.#term.loadAddon(new Unicode11Addon());
    this.#term.unicode.activeVersion = '11';
    this.#term.loadAddon(new WebLinksAddon((_event, text) => this.#listener.link(text)));
    this.#guard();
    this.#listen();
    this.look(look);
    this.#hideCaret();
  }

  /** From now on it belongs to one terminal. `old` says whether the bytes being drawn were printed before we came. */
  serve(listener: ScreenListener, old: () => boolean): void {
    this.#listener = listener;
    this.#old = old;
  }

  /** Does what a first showing takes, so that one in a hurry takes less. */
  prepare(): void {
    const place = document.createElement('div');
    // It is laid out and measured as if it were seen.
    place.style.cssText = 'position: fixed; inset: 0; visibility: hidden';
    place.inert = true;
    document.body.append(place);
    this.show(place);
    this.hide();
    place.remove();
  }

  write(bytes: Uint8Array, stream: Stream, parsed: () => void): void {
    this.#pace.wrote(bytes.byteLength);
    this.#term.write(stream === 'stdout' || stream === 'stderr' ? this.#pipes.merge(stream, bytes) : bytes, () => {
      this.#pace.parsed(bytes.byteLength);
      parsed();
    });
  }

  reset(): void {
    this.#pipes = new Pipes();
    this.#term.reset();
    this.#hideCaret();
  }

  resize({ cols, rows }: Size): void {
    if (cols > 0 && rows > 0) this.#term.resize(cols, rows);
  }

  /** Puts the screen into a place that shows it. */
  show(host: HTMLElement): void {
    host.append(this.#element);
    if (!this.#opened) {
      this.#opened = true;
      adoptingStyles(document, () => this.#term.open(this.#element));
    }
    this.#draw();
  }

  /** Takes the screen off; what arrives is still drawn into its memory. The graphics card's share is given back. */
  hide(): void {
    this.#webgl?.dispose();
    this.#webgl = undefined;
    this.#element.remove();
  }

  look(look: Look): void {
    const { options } = this.#term;
    options.fontSize = look.fontSize;
    options.fontFamily = look.fontFamily;
    options.screenReaderMode = look.screenReader;
    options.theme = look.theme;
    options.minimumContrastRatio = look.contrast;
    options.cursorBlink = look.motion;
    options.smoothScrollDuration = 0;
    this.#renderer = look.renderer;
    if (this.#element.isConnected) this.#draw();
  }

  /** The size that fills the place; undefined while it has none. */
  proposed(): Size | undefined {
    const found = this.#fit.proposeDimensions();
    if (found === undefined || !Number.isFinite(found.cols) || !Number.isFinite(found.rows)) return undefined;
    return { cols: Math.max(20, found.cols), rows: Math.max(4, found.rows) };
  }

  focus(): void {
    this.#term.focus();
  }

  /** Takes keys and pasted text, or does not: what nobody reads must not be typed. */
  listen(listens: boolean): void {
    this.#term.options.disableStdin = this.readOnly || !listens;
  }

  paste(text: string): void {
    this.#term.paste(pasteable(text));
  }

  get selection(): string {
    return this.#term.getSelection();
  }

  find(text: string, direction: 'next' | 'previous', options: { regex: boolean; caseSensitive: boolean; incremental: boolean }): void {
    const style = getComputedStyle(this.#element);
    const decorations = {
      matchBackground: style.getPropertyValue('--term-match').trim() || '#665522',
      activeMatchBackground: style.getPropertyValue('--term-match-active').trim() || '#aa8811',
      matchOverviewRuler: style.getPropertyValue('--term-match').trim() || '#665522',
      activeMatchColorOverviewRuler: style.getPropertyValue('--term-match-active').trim() || '#aa8811',
    };
    const all = { ...options, decorations };
    try {
      if (direction === 'next') this.#search.findNext(text, all);
      else this.#search.findPrevious(text, all);
    } catch {
      // Half of an expression is not one yet.
      this.#listener.found({ index: -1, count: 0 });
    }
  }

  endFind(): void {
    this.#search.clearDecorations();
    this.#term.clearSelection();
  }

  scrollToBottom(): void {
    this.#term.scrollToBottom();
  }

  /** All that can be scrolled to, as text. */
  text(): string {
    const { active } = this.#term.buffer;
    const lines: string[] = [];
    for (let at = 0; at < active.length; at += 1) {
      const line = active.getLine(at);
      const text = line?.translateToString(true) ?? '';
      if (line?.isWrapped === true && lines.length > 0) lines[lines.length - 1] += text;
      else lines.push(text);
    }
    return lines.join('\n').trimEnd();
  }

  dispose(): void {
    this.hide();
    this.#term.dispose();
  }

  #draw(): void {
    if (this.#renderer === 'dom' || !this.#opened) {
      this.#webgl?.dispose();
      this.#webgl = undefined;
      return;
    }
    void this.#drawByCard();
  }

  /** Nothing waits for it: the DOM draws until the graphics card does, and where it cannot. */
  async #drawByCard(): Promise<void> {
    const { WebglAddon } = await import('@xterm/addon-webgl');
    if (this.#webgl !== undefined || this.#renderer === 'dom' || !this.#element.isConnected) return;
    try {
      const webgl = new WebglAddon();
      // The graphics card may take its memory back at any time; the DOM draws from then on.
      webgl.onContextLoss(() => {
        webgl.dispose();
        if (this.#webgl === webgl) this.#webgl = undefined;
      });
      this.#term.loadAddon(webgl);
      this.#webgl = webgl;
    } catch {
      this.#webgl = undefined;
    }
  }

  #listen(): void {
    const mac = /Mac|iP(hone|ad)/.test(navigator.platform);
    const encoder = new TextEncoder();
    this.#term.onData((text) => this.#listener.typed(encoder.encode(text)));
    this.#term.onBinary((text) => this.#listener.typed(Uint8Array.from(text, (letter) => letter.charCodeAt(0))));
    this.#term.onTitleChange((title) => this.#listener.title(title));
    this.#term.onBell(() => this.#listener.bell());
    this.#search.onDidChangeResults(({ resultIndex, resultCount }) => this.#listener.found({ index: resultIndex, count: resultCount }));
    this.#term.attachCustomKeyEventHandler((event) => {
      const key = terminalKey(event, mac);
      if (key === undefined) return true;
      if (event.type === 'keydown') {
        event.preventDefault();
        event.stopPropagation();
        this.#listener.key(key);
      }
      return false;
    });
  }

  /** A caret where nothing can be typed would say that something can. */
  #hideCaret(): void {
    if (this.readOnly) this.#term.write('\x1b[?25l');
  }

  /** A handler that says true ends the sequence: xterm.js does nothing more with it. */
  #guard(): void {
    const { parser } = this.#term;
    parser.registerOscHandler(52, () => true);
    for (const id of QUESTIONS) parser.registerCsiHandler(id, () => this.#old());
    for (const id of COLOUR_QUESTIONS) parser.registerOscHandler(id, (text) => this.#old() && text.includes('?'));
    parser.registerDcsHandler({ intermediates: '$', final: 'q' }, () => this.#old());
  }
}
