import type { Client } from '../api/client.ts';
import { ApiError, isWireError, shown } from '../api/error.ts';
import type { CreateLine, Session } from '../api/types.ts';
import type { Sessions } from '../state/sessions.svelte.ts';
import { imageName, requestOf, type Draft } from './request.ts';

export type Stage =
  | { stage: 'typing' }
  | { stage: 'working'; steps: string[] }
  | { stage: 'failed'; error: ApiError }
  | { stage: 'created'; session: Session; notices: string[]; trouble: ApiError | null };

/** What a program prints to say that it tells pastes from keys; before, they would be keys to it. */
const TAKES_PASTES = '\x1b[?2004h';
/** Then it is said all the same. */
const READY_WITHIN = 20_000;
/** How long an agent may take to read a picture. */
const IMAGE_WITHIN = 5_000;

/** One creation, from the press of the button to the session. What was typed is the dialog's and stays there. */
export class Creation {
  #client: Client;
  #sessions: Sessions;
  #abort: AbortController | null = null;
  now = $state.raw<Stage>({ stage: 'typing' });

  constructor(client: Client, sessions: Sessions) {
    this.#client = client;
    this.#sessions = sessions;
  }

  create(draft: Draft, images: readonly File[]): Promise<void> {
    return this.#run((signal) => this.#client.create(requestOf(draft, images.length), signal), (session) => this.#bring(session, draft.prompt, images));
  }

  demo(): Promise<void> {
    return this.#run((signal) => this.#client.demo(signal), () => Promise.resolve());
  }

  fork(session: string, name: string, prompt: string): Promise<void> {
    const request = { name: name.trim() || null, prompt: prompt.trim() ? prompt : null, cols: 120, rows: 32 };
    return this.#run((signal) => this.#client.fork(session, request, signal), () => Promise.resolve());
  }

  /** The daemon goes on to the end of what it began; a session that comes of it is in the list. */
  cancel(): void {
    this.#abort?.abort();
    this.#abort = null;
    this.now = { stage: 'typing' };
  }

  async #run(ask: (signal: AbortSignal) => AsyncIterable<CreateLine>, then: (session: Session) => Promise<void>): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    this.now = { stage: 'working', steps: [] };
    try {
      for await (const line of ask(abort.signal)) {
        if (abort.signal.aborted) return;
        if (line.type === 'progress') this.#step(line.message);
        else if (line.type === 'error') throw new ApiError(line.code, line.message, line.hint);
        else if (isWireError(line)) throw ApiError.from(500, line);
        else return await this.#created(line.session, line.notices, then);
      }
      throw new ApiError('failed', 'The daemon stopped before the session was made.', 'Try again; nothing is left of this attempt.');
    } catch (thrown) {
      if (!abort.signal.aborted) this.now = { stage: 'failed', error: shown(thrown) };
    }
  }

  async #created(session: Session, notices: string[], then: (session: Session) => Promise<void>): Promise<void> {
    this.#sessions.put(session);
    try {
      await then(session);
      this.now = { stage: 'created', session, notices, trouble: null };
    } catch (thrown) {
      this.now = { stage: 'created', session, notices, trouble: shown(thrown) };
    }
  }

  /** Uploads the images, waits for the agent, pastes their paths and says the prompt. */
  async #bring(session: Session, prompt: string, images: readonly File[]): Promise<void> {
    if (images.length === 0) return;
    const paths: string[] = [];
    for (const [index, image] of images.entries()) {
      this.#step(`Upload image ${index + 1} of ${images.length}`);
      paths.push((await this.#client.upload(session.id, imageName(image, index + 1), image)).path);
    }
    this.#step('Wait for the agent to take the prompt');
    await this.#printed(session.id, TAKES_PASTES, READY_WITHIN);
    for (const [index, path] of paths.entries()) {
      // Each path as a paste of its own: the agent reads it, and then shows it as “[Image #1]”. What is typed meanwhile comes before it.
      await this.#client.say(session.id, { text: `${path} `, send: false });
      await this.#printed(session.id, `#${index + 1}]`, IMAGE_WITHIN);
    }
    await this.#client.say(session.id, { text: prompt, send: true });
  }

  /** Resolves when the agent has printed a text of plain letters, or when that takes too long. */
  #printed(id: string, text: string, within: number): Promise<void> {
    return new Promise((resolve) => {
      const socket = this.#client.console(id);
      const timer = setTimeout(end, within);
      let tail = '';
      function end() {
        clearTimeout(timer);
        socket.close();
        resolve();
      }
      socket.onclose = end;
      socket.onmessage = (message) => {
        if (typeof message === 'string') return;
        // A frame begins with its stream and the offset after it.
        tail += new TextDecoder('latin1').decode(message.subarray(9));
        if (tail.includes(text)) end();
        tail = tail.slice(-text.length);
      };
    });
  }

  #step(message: string): void {
    if (this.now.stage === 'working') this.now = { stage: 'working', steps: [...this.now.steps, message] };
  }
}
