import type { Intent, NativeDrop, Shell } from './shell.ts';

/** The page in an ordinary browser. */
export class BrowserShell implements Shell {
  readonly kind = 'browser';
  readonly keys = /Mac|iP(hone|ad)/.test(navigator.platform) ? 'mac' : 'other';

  pickFolder(): Promise<'unsupported'> {
    // A browser's own picker hides the path, which is all that the daemon needs.
    return Promise.resolve('unsupported');
  }

  openLink(url: string): Promise<void> {
    window.open(url, '_blank', 'noopener,noreferrer');
    return Promise.resolve();
  }

  openFile(): Promise<void> {
    return Promise.reject(new Error('A browser cannot open files in other programs. Download it instead.'));
  }

  async notify(notice: { title: string; body: string; session: string }, click: () => void): Promise<void> {
    if (!('Notification' in window)) return;
    if (Notification.permission === 'default') await Notification.requestPermission();
    if (Notification.permission !== 'granted') return;
    const shown = new Notification(notice.title, { body: notice.body, tag: notice.session });
    shown.onclick = () => {
      window.focus();
      shown.close();
      click();
    };
  }

  wantNotices(): void {
    // The page notifies, and knows.
  }

  visible(): boolean {
    return document.visibilityState === 'visible' && document.hasFocus();
  }

  badge(): void {
    // The title says it; a browser has no tray.
  }

  onDrop(_listener: (drop: NativeDrop) => void): () => void {
    return () => undefined;
  }

  onIntent(_listener: (intent: Intent) => void): () => void {
    return () => undefined;
  }

  readDropped(): Promise<Blob> {
    return Promise.reject(new Error('A browser hands the files themselves.'));
  }

  copy(text: string): Promise<void> {
    return navigator.clipboard.writeText(text);
  }
}
