import { ApiError } from '../api/error.ts';
import type { Socket } from '../api/transport.ts';
import type { SignInText } from '../api/types.ts';
import { plain } from './plain.ts';

const MOST = 64 << 10;

export type SignInStage = { stage: 'running' } | { stage: 'done' } | { stage: 'failed'; error: ApiError };

/** A sign-in under way: what the program prints, its link, and how it ends. */
export class SignInStream {
  #socket: Socket;
  #decoder = new TextDecoder();
  #raw = '';
  #ended = false;
  text = $state('');
  link = $state<string | null>(null);
  now = $state.raw<SignInStage>({ stage: 'running' });

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.onmessage = (message) => this.#take(message);
    socket.onclose = (why) => this.#fail(new ApiError('failed', 'The sign-in ended before it was through.', why));
  }

  type(text: string): void {
    this.#socket.send(new TextEncoder().encode(text));
  }

  dispose(): void {
    this.#ended = true;
    this.#socket.close();
  }

  #take(message: string | Uint8Array): void {
    if (typeof message !== 'string') {
      this.#raw = (this.#raw + this.#decoder.decode(message, { stream: true })).slice(-MOST);
      this.text = plain(this.#raw);
      return;
    }
    const said = JSON.parse(message) as SignInText;
    if (said.type === 'link') this.link = said.url.startsWith('https://') ? said.url : null;
    else if (said.type === 'error') this.#fail(new ApiError(said.code, said.message, said.hint));
    else {
      this.#ended = true;
      this.now = { stage: 'done' };
    }
  }

  #fail(error: ApiError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.now = { stage: 'failed', error };
  }
}
