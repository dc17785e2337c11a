/** What the page asks of whatever stands around it: a native window, or a browser. */
export interface Shell {
  /** `window` where the person's own machine runs it, `browser` where it may not. */
  readonly kind: 'window' | 'browser';
  /** `mac` shows ⌘ where the others show Ctrl. */
  readonly keys: 'mac' | 'other';
  /** Opens the system's folder picker. `unsupported` where there is none, none where the person cancels. */
  pickFolder(title: string): Promise<string | null | 'unsupported'>;
  /** Opens an address in the person's browser. The caller has asked the person. */
  openLink(url: string): Promise<void>;
  /** Opens a file of this machine in the program that the system has for it. The caller has asked the person. */
  openFile(path: string): Promise<void>;
  /** Shows a notification; `click` opens what it is about. */
  notify(notice: { title: string; body: string; session: string }, click: () => void): Promise<void>;
  /** Says which notifications the person wants, to a shell that notifies by itself. */
  wantNotices(wanted: Wanted): void;
  /** Whether the person could see the window now. */
  visible(): boolean;
  /** Says the number of sessions that wait for the person, for a badge or a tray. */
  badge(count: number): void;
  /** Hears of files and folders dropped on the window with their paths; the return value stops it. Browsers have no paths. */
  onDrop(listener: (drop: NativeDrop) => void): () => void;
  /** Hears what the shell itself wants shown, such as a session from the tray; the return value stops it. */
  onIntent(listener: (intent: Intent) => void): () => void;
  /** Reads a file that was dropped on the window, and no other. */
  readDropped(path: string): Promise<Blob>;
  copy(text: string): Promise<void>;
}

/** Which notifications the person wants. */
export interface Wanted {
  needsInput: boolean;
  finished: boolean;
  failed: boolean;
}

/** Something that is dragged from another program. */
export interface Dragged {
  path: string;
  name: string;
  bytes: number;
  folder: boolean;
}

/** Where a native drop is and what it holds. Positions are CSS pixels in the page. */
export type NativeDrop =
  | { kind: 'over'; x: number; y: number; paths: string[]; files: Dragged[] }
  | { kind: 'drop'; x: number; y: number; paths: string[]; files: Dragged[] }
  | { kind: 'leave' };

export type Intent = { kind: 'open-session'; id: string } | { kind: 'quick-start'; repository: string | null } | { kind: 'new' } | { kind: 'settings' };
