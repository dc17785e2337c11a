import { shown } from '../api/error.ts';

export interface Toast {
  id: number;
  tone: 'plain' | 'good' | 'bad';
  text: string;
  hint: string | null;
  action: { label: string; run: () => void } | null;
}

const SHORT = 5000;
const LONG = 10_000;

/** Short messages at the edge of the window. Those with an action or a failure stay longer; a pointer over them holds them. */
export class Toasts {
  #next = 1;
  #timers = new Map<number, ReturnType<typeof setTimeout>>();
  list = $state<Toast[]>([]);

  say(text: string, options: Partial<Omit<Toast, 'id' | 'text'>> = {}): number {
    const toast: Toast = { id: this.#next++, text, tone: 'plain', hint: null, action: null, ...options };
    this.list = [...this.list, toast].slice(-4);
    this.release(toast.id);
    return toast.id;
  }

  /** Shows what went wrong. */
  fail(thrown: unknown): void {
    const error = shown(thrown);
    this.say(error.message, { tone: 'bad', hint: error.hint });
  }

  act(toast: Toast): void {
    this.close(toast.id);
    toast.action?.run();
  }

  hold(id: number): void {
    clearTimeout(this.#timers.get(id));
  }

  release(id: number): void {
    const toast = this.list.find((one) => one.id === id);
    if (!toast) return;
    this.hold(id);
    this.#timers.set(id, setTimeout(() => this.close(id), toast.action || toast.tone === 'bad' ? LONG : SHORT));
  }

  close(id: number): void {
    this.hold(id);
    this.#timers.delete(id);
    this.list = this.list.filter((one) => one.id !== id);
  }
}
