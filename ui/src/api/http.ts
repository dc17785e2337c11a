import { ApiError } from './error.ts';
import { splitLines } from './lines.ts';
import type { Answer, Socket, Transport } from './transport.ts';

/** The daemon over HTTP, from the origin that served this page. */
export class HttpTransport implements Transport {
  async request(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await ask(path, init(method, body));
    return { status: response.status, json: await json(response) };
  }

  async *lines(method: string, path: string, body?: unknown, signal?: AbortSignal): AsyncIterable<unknown> {
    const response = await ask(path, { ...init(method, body), signal: signal ?? null });
    if (!response.ok) throw ApiError.from(response.status, await json(response));
    if (!response.body) return;
    yield* splitLines(response.body);
  }

  socket(path: string): Socket {
    return new HttpSocket(new URL(path, location.href));
  }

  upload(path: string, blob: Blob, progress: (sent: number) => void, signal?: AbortSignal): Promise<Answer> {
    // fetch does not say how much was sent.
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open('POST', path);
      request.upload.onprogress = (event) => progress(event.loaded);
      request.onload = () => resolve({ status: request.status, json: parse(request.responseText) });
      request.onerror = () => reject(ApiError.unreachable());
      request.onabort = () => reject(new DOMException('cancelled', 'AbortError'));
      signal?.addEventListener('abort', () => request.abort(), { once: true });
      request.setRequestHeader('content-type', 'application/octet-stream');
      request.send(blob);
    });
  }

  async blob(path: string): Promise<Blob> {
    const response = await ask(path, {});
    if (!response.ok) throw ApiError.from(response.status, await json(response));
    return response.blob();
  }
}

class HttpSocket implements Socket {
  onopen?: () => void;
  onmessage?: (message: string | Uint8Array) => void;
  onclose?: (why: string) => void;
  readonly #socket: WebSocket;

  constructor(url: URL) {
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    this.#socket = new WebSocket(url);
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.onopen = () => this.onopen?.();
    this.#socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) =>
      this.onmessage?.(typeof data === 'string' ? data : new Uint8Array(data));
    this.#socket.onclose = ({ reason }) => this.onclose?.(reason || 'The connection ended.');
  }

  send(message: string | Uint8Array): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(typeof message === 'string' ? message : new Uint8Array(message));
  }

  close(): void {
    this.#socket.close();
  }
}

function init(method: string, body: unknown): RequestInit {
  if (body === undefined) return { method };
  return { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
}

async function ask(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === 'AbortError') throw thrown;
    throw ApiError.unreachable();
  }
}

async function json(response: Response): Promise<unknown> {
  return parse(await response.text());
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
