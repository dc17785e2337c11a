import type { Socket } from '../api/transport.ts';
import type { ServerEvent, Session } from '../api/types.ts';
import { after, wait, type World } from './world.ts';

/** How the page stands with the daemon. */
export type Connection = { state: 'connecting' } | { state: 'live' } | { state: 'lost'; why: string; since: number } | { state: 'signed-out' };

/** A session before and after a change, for notifications and announcements. `before` is absent for a new one. */
export type SessionChange = { before: Session | undefined; now: Session };

/** Every session as the daemon has it: the whole state first, then each change; connected again by itself. */
export class Sessions {
  #open: () => Socket;
  #signedOut: () => Promise<boolean>;
  #socket: Socket | null = null;
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ended = false;
  #world = $state.raw<World | null>(null);
  #next: World | null = null;
  #frame: ReturnType<typeof setTimeout> | undefined;
  #listeners = new Set<(change: SessionChange) => void>();

  connection = $state.raw<Connection>({ state: 'connecting' });
  /** Oldest first, as the daemon lists them. */
  readonly all = $derived([...(this.#world?.sessions.values() ?? [])]);
  readonly paused = $derived(this.#world?.paused ?? false);
  /** Whether the disk that holds everything has no room. */
  readonly diskFull = $derived(this.#world?.diskFull ?? false);
  /** False until the first whole state has come. */
  readonly loaded = $derived(this.#world !== null);

  /** `signedOut` asks whether the daemon answers and no longer knows this page. */
  constructor(open: () => Socket, signedOut: () => Promise<boolean> = () => Promise.resolve(false)) {
    this.#open = open;
    this.#signedOut = signedOut;
  }

  get(id: string): Session | undefined {
    return this.#world?.sessions.get(id);
  }

  /** Hears of live changes; never of what a (re)connection replays. */
  onChange(listener: (change: SessionChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  connect(): void {
    clearTimeout(this.#timer);
    this.#drop();
    const socket = this.#open();
    this.#socket = socket;
    socket.onmessage = (message) => {
      if (socket === this.#socket && typeof message === 'string') this.#take(JSON.parse(message) as ServerEvent);
    };
    socket.onclose = (why) => {
      if (socket === this.#socket) this.#lose(why);
    };
  }

  /** Puts a session that an answer brought into the list before its event comes. */
  put(session: Session): void {
    const world = this.#next ?? this.#world;
    if (world) this.#show({ ...world, sessions: new Map(world.sessions).set(session.id, session) });
  }

  dispose(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#frame);
    this.#drop();
  }

  #take(event: ServerEvent): void {
    const world = this.#next ?? this.#world;
    const now = after(world, event);
    if (now === 'lost') return this.connect();
    if (event.type === 'state') {
      this.#attempt = 0;
      this.connection = { state: 'live' };
    }
    if (event.type === 'session' && world && now !== world) {
      const change = { before: world.sessions.get(event.session.id), now: event.session };
      for (const listener of this.#listeners) listener(change);
    }
    this.#show(now);
  }

  /** Shows at most one world a frame, however fast the changes come. */
  #show(world: World): void {
    this.#next = world;
    if (this.#world === null) return this.#flush();
    this.#frame ??= setTimeout(() => this.#flush(), 16);
  }

  #flush(): void {
    clearTimeout(this.#frame);
    this.#frame = undefined;
    if (this.#next) this.#world = this.#next;
    this.#next = null;
  }

  #lose(why: string): void {
    this.#drop();
    if (this.#ended) return;
    if (this.connection.state !== 'lost' && this.connection.state !== 'signed-out') this.connection = { state: 'lost', why, since: Date.now() };
    void this.#signedOut().then((out) => {
      if (out && this.connection.state === 'lost') this.connection = { state: 'signed-out' };
    });
    this.#timer = setTimeout(() => this.connect(), wait(this.#attempt++, Math.random()));
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }
}
