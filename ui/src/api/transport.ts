/** What the page needs from whoever carries its requests to the daemon. */

export interface Answer {
  status: number;
  json: unknown;
}

export interface Transport {
  request(method: string, path: string, body?: unknown): Promise<Answer>;
  /** One JSON value a line, until the answer ends. An answer that is no success throws before the first line. */
  lines(method: string, path: string, body?: unknown, signal?: AbortSignal): AsyncIterable<unknown>;
  socket(path: string): Socket;
  /** `progress` hears the bytes sent so far. */
  upload(path: string, blob: Blob, progress: (sent: number) => void, signal?: AbortSignal): Promise<Answer>;
  blob(path: string): Promise<Blob>;
}

/** A WebSocket, whoever carries it. The handlers are set before anything can arrive. */
export interface Socket {
  onopen?: () => void;
  onmessage?: (message: string | Uint8Array) => void;
  /** Comes once, with the reason in a sentence. */
  onclose?: (why: string) => void;
  send(message: string | Uint8Array): void;
  close(): void;
}
