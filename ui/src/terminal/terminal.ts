// One session's terminal: a screen, and the connection that feeds it. It outlives the component that shows it.

import type { Mode } from '../api/types.ts';
import { Flow } from './flow.ts';
import type { TerminalKey } from './keys.ts';
import { Link, type LinkState, type LinkWorld } from './link.ts';
import { place, Replay } from './replay.ts';
import type { Look, Screen } from './screen.ts';

export interface TerminalListener {
  state(state: LinkState): void;
  key(key: TerminalKey): void;
  link(text: string): void;
  title(title: string): void;
  found(found: { index: number; count: number }): void;
}

const SILENT: TerminalListener = {
  state: () => undefined,
  key: () => undefined,
  link: () => undefined,
  title: () => undefined,
  found: () => undefined,
};

/** A size is told once it has stood this long: dragging a window's edge would otherwise redraw the agent at each step. */
const SETTLED = 80;

export class Terminal {
  readonly #flow: Flow;
  readonly #link: Link;
  readonly #replay = new Replay();
  readonly #resized = new ResizeObserver(() => this.#settle());
  #listener = SILENT;
  #epoch: number | undefined;
  /** Whether a size that is asked for comes back in the stream; a terminal whose agent ended has no size of its own. */
  #sizeComesBack = false;
  #host: HTMLElement | undefined;
  #settling: ReturnType<typeof setTimeout> | undefined;
  #title = '';

  constructor(
    readonly mode: Mode,
    world: LinkWorld,
    private readonly screen: Screen,
  ) {
    screen.serve(
      {
        typed: (bytes) => this.#link.type(bytes),
        key: (key) => this.#listener.key(key),
        link: (text) => this.#listener.link(text),
        title: (title) => this.#titled(title),
        bell: () => undefined,
        found: (found) => this.#listener.found(found),
      },
      () => this.#replay.old(this.#flow.parsed),
    );
    this.#flow = new Flow(screen, (bytes) => this.#link.acknowledge(bytes));
    this.#link = new Link(
      world,
      {
        hello: (hello) => {
          if (place(hello, this.#flow.received, this.#epoch ?? hello.epoch) === 'restart') this.#flow.restart(hello.offset_start);
          this.#epoch = hello.epoch;
          this.#sizeComesBack = hello.running && hello.cols > 0;
          this.#replay.began(hello.offset_end);
          this.#flow.connected();
        },
        output: (output) => this.#flow.take(output),
        size: (size) => this.#flow.size(size),
        state: (state) => {
          if (state.kind === 'ended') this.#sizeComesBack = false;
          this.#listener.state(state);
        },
      },
      () => (this.#flow.received > 0 ? { from: this.#flow.received, epoch: this.#epoch } : undefined),
    );
    this.#link.open();
  }

  get state(): LinkState {
    return this.#link.state;
  }

  /** What the program in the terminal calls itself. Shown beside the terminal, never as the window's title. */
  get title(): string {
    return this.#title;
  }

  /** What the bench and the tests watch: bytes that arrived, bytes that are drawn. */
  get progress(): { received: number; parsed: number; unparsed: number } {
    return { received: this.#flow.received, parsed: this.#flow.parsed, unparsed: this.#flow.unparsed };
  }

  /** Shows it in `host` and tells `listener` what happens until `detach`. */
  attach(host: HTMLElement, listener: TerminalListener): void {
    this.detach();
    this.#host = host;
    this.#listener = listener;
    this.screen.show(host);
    this.#resized.observe(host);
    this.#fit();
    listener.state(this.#link.state);
    listener.title(this.#title);
  }

  /** Hides it; it goes on receiving. */
  detach(): void {
    this.#resized.disconnect();
    clearTimeout(this.#settling);
    this.#host = undefined;
    this.#listener = SILENT;
    this.screen.hide();
  }

  dispose(): void {
    this.detach();
    this.#link.close();
    this.#flow.close();
    this.screen.dispose();
  }

  /** Connects again where the agent had ended or the console had failed: the session was started. */
  reopen(): void {
    this.#link.open();
  }

  look(look: Look): void {
    this.screen.look(look);
    this.#settle();
  }

  focus(): void {
    this.screen.focus();
    this.#fit();
  }

  listen(listens: boolean): void {
    this.screen.listen(listens);
  }

  paste(text: string): void {
    this.screen.paste(text);
  }

  get selection(): string {
    return this.screen.selection;
  }

  text(): string {
    return this.screen.text();
  }

  find(text: string, direction: 'next' | 'previous', options: { regex: boolean; caseSensitive: boolean; incremental: boolean }): void {
    this.screen.find(text, direction, options);
  }

  endFind(): void {
    this.screen.endFind();
  }

  scrollToBottom(): void {
    this.screen.scrollToBottom();
  }

  #titled(title: string): void {
    this.#title = title;
    this.#listener.title(title);
  }

  #settle(): void {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#fit(), SETTLED);
  }

  /** The terminal of a running agent has the size that the agent knows: it is asked for, and comes back in the stream. */
  #fit(): void {
    if (this.#host === undefined) return;
    const wanted = this.screen.proposed();
    if (wanted === undefined) return;
    this.#link.resize(wanted.cols, wanted.rows);
    if (!this.#sizeComesBack) this.#flow.size(wanted);
  }
}
