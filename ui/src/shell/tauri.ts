import { Channel, invoke } from '@tauri-apps/api/core';
import { parseRoute } from '../state/route.ts';
import type { Intent, NativeDrop, Shell, Wanted } from './shell.ts';

export { isTauri as inWindow } from '@tauri-apps/api/core';

type Message = { about: 'intent'; what: Intent } | { about: 'drop'; what: NativeDrop };

/** The page in the app's window. */
export class TauriShell implements Shell {
  readonly kind = 'window';
  readonly keys = navigator.platform.startsWith('Mac') ? 'mac' : 'other';
  readonly #drops = new Set<(drop: NativeDrop) => void>();
  readonly #intents = new Set<(intent: Intent) => void>();
  #listens = false;

  constructor() {
    const show = () => {
      const route = parseRoute(location.hash);
      void invoke('shell_showing', { session: route.page === 'session' ? route.id : null });
    };
    window.addEventListener('hashchange', show);
    show();
  }

  pickFolder(title: string): Promise<string | null> {
    return invoke<string | null>('shell_pick_folder', { title });
  }

  openLink(url: string): Promise<void> {
    return said(invoke('shell_open_link', { url }));
  }

  openFile(path: string): Promise<void> {
    return said(invoke('shell_open_file', { path }));
  }

  notify(): Promise<void> {
    // The app notifies by itself, since it also lives while the window is hidden.
    return Promise.resolve();
  }

  wantNotices({ needsInput, finished, failed }: Wanted): void {
    void invoke('shell_wanted', { wanted: { needsInput, finished, failed } });
  }

  visible(): boolean {
    return document.visibilityState === 'visible' && document.hasFocus();
  }

  badge(): void {
    // The tray counts by itself.
  }

  onDrop(listener: (drop: NativeDrop) => void): () => void {
    this.#drops.add(listener);
    this.#listen();
    return () => this.#drops.delete(listener);
  }

  onIntent(listener: (intent: Intent) => void): () => void {
    this.#intents.add(listener);
    // Intents that came while the page was loading arrive now.
    this.#listen();
    return () => this.#intents.delete(listener);
  }

  async readDropped(path: string): Promise<Blob> {
    return new Blob([await said(invoke<ArrayBuffer>('shell_dropped', { path }))]);
  }

  copy(text: string): Promise<void> {
    return navigator.clipboard.writeText(text);
  }

  #listen(): void {
    if (this.#listens) return;
    this.#listens = true;
    const channel = new Channel<Message>();
    channel.onmessage = (message) => {
      switch (message.about) {
        case 'intent':
          this.#intents.forEach((listener) => listener(message.what));
          break;
        case 'drop':
          this.#drops.forEach((listener) => listener(message.what));
          break;
      }
    };
    void invoke('shell_listen', { channel });
  }
}

/** The app refuses with a sentence of its own. */
async function said<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (thrown) {
    const sentence = typeof thrown === 'object' && thrown !== null && 'message' in thrown ? String(thrown.message) : String(thrown);
    throw new Error(sentence);
  }
}
