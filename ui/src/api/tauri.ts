import { Channel, invoke } from '@tauri-apps/api/core';
import { ApiError, isWireError } from './error.ts';
import { pack, unpack, unpackAnswer } from './frames.ts';
import { splitLines } from './lines.ts';
import type { Answer, Socket, Transport } from './transport.ts';

/** Pieces of this size cross to the app; each is acknowledged before the next goes. */
const PIECE = 1024 * 1024;

const decoder = new TextDecoder();

/** The daemon through the window's own messages; the page has no network. */
export class TauriTransport implements Transport {
  async request(method: string, path: string, body?: unknown): Promise<Answer> {
    return answer(await call<ArrayBuffer>('api_request', { method, path, body }));
  }

  async *lines(method: string, path: string, body?: unknown, signal?: AbortSignal): AsyncIterable<unknown> {
    signal?.throwIfAborted();
    const { channel, status, stream } = streamed();
    const id = await call<number>('api_stream', { method, path, body, channel });
    const stop = () => void call('socket_close', { id });
    const aborted = new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => reject(new DOMException('cancelled', 'AbortError')), { once: true });
    });
    // Nobody may be waiting when it happens.
    aborted.catch(() => undefined);
    try {
      const code = await Promise.race([status, aborted]);
      if (code >= 400) throw ApiError.from(code, parse(await new Response(stream).text()));
      const lines = splitLines(stream)[Symbol.asyncIterator]();
      for (;;) {
        const next = await Promise.race([lines.next(), aborted]);
        if (next.done) return;
        yield next.value;
      }
    } finally {
      stop();
    }
  }

  socket(path: string): Socket {
    return new TauriSocket(path);
  }

  async upload(path: string, blob: Blob, progress: (sent: number) => void, signal?: AbortSignal): Promise<Answer> {
    signal?.throwIfAborted();
    const id = await call<number>('upload_open', { path });
    const stop = () => void call('socket_close', { id });
    signal?.addEventListener('abort', stop, { once: true });
    try {
      for (let at = 0; at < blob.size; at += PIECE) {
        signal?.throwIfAborted();
        const piece = new Uint8Array(await blob.slice(at, at + PIECE).arrayBuffer());
        await say(id, [piece]);
        progress(Math.min(at + PIECE, blob.size));
      }
      signal?.throwIfAborted();
      return answer(await call<ArrayBuffer>('upload_end', { id }));
    } catch (thrown) {
      stop();
      if (signal?.aborted) throw new DOMException('cancelled', 'AbortError');
      throw thrown;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  async blob(path: string): Promise<Blob> {
    const { status, mediaType, body } = unpackAnswer(await call<ArrayBuffer>('api_request', { method: 'GET', path }));
    if (status >= 400) throw ApiError.from(status, parse(decoder.decode(body)));
    return new Blob([body], { type: mediaType });
  }
}

/** A WebSocket of the API. One batch is on its way at a time, so that keys keep their order. */
class TauriSocket implements Socket {
  onopen?: () => void;
  onmessage?: (message: string | Uint8Array) => void;
  onclose?: (why: string) => void;
  readonly #opened: Promise<number | undefined>;
  #waiting: (string | Uint8Array)[] = [];
  #sending = false;
  #closed = false;

  constructor(path: string) {
    const channel = new Channel<ArrayBuffer>();
    channel.onmessage = (batch) => this.#hear(batch);
    this.#opened = call<number>('socket_open', { path, channel }).then(
      (id) => {
        if (!this.#closed) this.onopen?.();
        return id;
      },
      (thrown: unknown) => {
        this.#end(thrown instanceof Error ? thrown.message : String(thrown));
        return undefined;
      },
    );
  }

  send(message: string | Uint8Array): void {
    if (this.#closed) return;
    this.#waiting.push(message);
    if (!this.#sending) void this.#flush();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    void this.#opened.then((id) => id === undefined || call('socket_close', { id }));
  }

  #hear(batch: ArrayBuffer): void {
    for (const frame of unpack(batch)) {
      if (this.#closed) return;
      switch (frame.kind) {
        case 'text':
          this.onmessage?.(frame.text);
          break;
        case 'binary':
          this.onmessage?.(frame.bytes);
          break;
        case 'close':
          this.#end(frame.why || 'The connection ended.');
          break;
        case 'status':
          break;
      }
    }
  }

  async #flush(): Promise<void> {
    this.#sending = true;
    try {
      const id = await this.#opened;
      while (id !== undefined && this.#waiting.length > 0 && !this.#closed) {
        const batch = this.#waiting;
        this.#waiting = [];
        await say(id, batch);
      }
    } catch (thrown) {
      this.#end(thrown instanceof Error ? thrown.message : String(thrown));
    } finally {
      this.#sending = false;
    }
  }

  #end(why: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onclose?.(why);
  }
}

async function say(id: number, messages: readonly (string | Uint8Array)[]): Promise<void> {
  await wrapped(invoke('socket_send', pack(messages), { headers: { id: String(id) } }));
}

async function call<T>(command: string, args: Record<string, unknown>): Promise<T> {
  return wrapped(invoke<T>(command, args));
}

/** The app refuses with the API's own errors. */
async function wrapped<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (thrown) {
    if (isWireError(thrown)) throw new ApiError(thrown.code, thrown.message, thrown.hint);
    throw new ApiError('failed', String(thrown));
  }
}

function answer(buffer: ArrayBuffer): Answer {
  const { status, body } = unpackAnswer(buffer);
  return { status, json: parse(decoder.decode(body)) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** An answer that arrives in pieces: first its status, then its bytes. */
function streamed(): { channel: Channel<ArrayBuffer>; status: Promise<number>; stream: ReadableStream<Uint8Array<ArrayBuffer>> } {
  const channel = new Channel<ArrayBuffer>();
  let begin: (status: number) => void = () => undefined;
  const status = new Promise<number>((resolve) => (begin = resolve));
  let open = true;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      channel.onmessage = (batch) => {
        for (const frame of unpack(batch)) {
          if (!open) return;
          if (frame.kind === 'status') begin(frame.status);
          if (frame.kind === 'binary') controller.enqueue(frame.bytes);
          if (frame.kind === 'close') {
            open = false;
            if (frame.why === '') controller.close();
            else controller.error(new ApiError('failed', frame.why));
          }
        }
      };
    },
    cancel() {
      open = false;
    },
  });
  return { channel, status, stream };
}
