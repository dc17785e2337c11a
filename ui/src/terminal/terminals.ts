// The terminals of this window: one pool a client, so that switching tabs and sessions keeps them alive.

import type { Client } from '../api/client.ts';
import type { Session } from '../api/types.ts';
import { palette } from './palette.ts';
import { Pool } from './pool.ts';
import { accelerated, renderer, type RendererChoice } from './renderer.ts';
import { type Look, Screen } from './screen.ts';
import { Terminal } from './terminal.ts';

/** What a person may choose about every terminal. */
export interface TerminalSettings {
  fontSize: number;
  screenReader: boolean;
  renderer: RendererChoice;
}

export const DEFAULTS: TerminalSettings = { fontSize: 13, screenReader: false, renderer: 'auto' };
const STILL = '(prefers-reduced-motion: reduce)';
export const SMALLEST = 8;
export const LARGEST = 32;
/** How long after one screen was wanted the next is made ahead. */
const IDLE = 1_000;

export class Terminals {
  readonly #pool: Pool<Terminal>;
  readonly #modes = new Map<string, Session['mode']>();
  #settings = DEFAULTS;
  #accelerated: boolean | undefined;
  /** What the settings and the theme in force come to. To ask the page's styles for it holds the page up, so it is kept. */
  #look: Look | undefined;
  /** A screen that no session has yet: to make one takes longer than to fill it. */
  #spare: Screen | undefined;
  #preparing: ReturnType<typeof setTimeout> | undefined;

  constructor(client: Client) {
    // The theme is chosen on the root element, by a person or by the system.
    new MutationObserver(() => this.#renew()).observe(document.documentElement, { attributeFilter: ['data-theme', 'style'] });
    matchMedia(STILL).addEventListener('change', () => this.#renew());
    this.#pool = new Pool((id) => {
      const world = {
        open: (place?: { from: number; epoch: number | undefined }) => client.console(id, place?.from, place?.epoch),
        later: (ms: number, then: () => void) => {
          const timer = setTimeout(then, ms);
          return () => clearTimeout(timer);
        },
        random: Math.random,
      };
      const mode = this.#modes.get(id) ?? 'interactive';
      return new Terminal(mode, world, this.#screen(mode));
    });
    this.#prepareSoon();
  }

  /** Gives a session's terminal to a place that shows it, until `release`. */
  take(session: Session): Terminal {
    this.#modes.set(session.id, session.mode);
    return this.#pool.take(session.id);
  }

  release(id: string): void {
    this.#pool.release(id);
  }

  /** Its terminal, where it is alive. */
  peek(id: string): Terminal | undefined {
    return this.#pool.peek(id);
  }

  /** The session is gone for good. */
  forget(id: string): void {
    this.#pool.forget(id);
  }

  /** Takes the settings to every terminal, where they are other than before: a new look draws each of them anew. */
  apply({ fontSize, screenReader, renderer }: TerminalSettings): void {
    const now = this.#settings;
    if (now.fontSize === fontSize && now.screenReader === screenReader && now.renderer === renderer) return;
    this.#settings = { fontSize, screenReader, renderer };
    this.#renew();
  }

  get live(): number {
    return this.#pool.size;
  }

  /** The one that was made ahead, where it fits. */
  #screen(mode: Session['mode']): Screen {
    const spare = this.#spare;
    if (mode === 'print' || spare === undefined) return new Screen(mode === 'print', this.#currentLook());
    this.#spare = undefined;
    this.#prepareSoon();
    return spare;
  }

  /** Makes the next screen ahead, once whoever is at work now has had the time. */
  #prepareSoon(): void {
    clearTimeout(this.#preparing);
    this.#preparing = setTimeout(() => {
      this.#spare ??= new Screen(false, this.#currentLook());
      this.#spare.prepare();
    }, IDLE);
  }

  #currentLook(): Look {
    return (this.#look ??= this.#read());
  }

  #renew(): void {
    this.#look = this.#read();
    this.#spare?.look(this.#look);
    for (const terminal of this.#pool.live()) terminal.look(this.#look);
  }

  #read(): Look {
    const root = document.documentElement;
    const style = getComputedStyle(root);
    return {
      fontSize: this.#settings.fontSize,
      fontFamily: style.getPropertyValue('--font-mono').trim() || 'monospace',
      screenReader: this.#settings.screenReader,
      renderer: renderer(this.#settings.renderer, navigator.userAgent, () => (this.#accelerated ??= accelerated())),
      theme: palette(root),
      contrast: Number(style.getPropertyValue('--term-contrast')) || 1,
      motion: !matchMedia(STILL).matches,
    };
  }
}

const all = new WeakMap<Client, Terminals>();

/** The terminals of the window that talks through `client`. */
export function terminalsOf(client: Client): Terminals {
  const found = all.get(client);
  if (found !== undefined) return found;
  const made = new Terminals(client);
  all.set(client, made);
  return made;
}
