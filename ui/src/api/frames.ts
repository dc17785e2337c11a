// How the window packs several messages as one: length (four bytes, little endian), kind, bytes. The app has the same few
// lines in src-tauri/bridge/frames.rs.

export type Frame =
  | { kind: 'text'; text: string }
  | { kind: 'binary'; bytes: Uint8Array<ArrayBuffer> }
  | { kind: 'status'; status: number }
  | { kind: 'close'; why: string };

const TEXT = 0;
const BINARY = 1;
const STATUS = 2;
const CLOSE = 3;
const HEAD = 5;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Takes a batch apart. */
export function* unpack(buffer: ArrayBuffer): Generator<Frame> {
  const view = new DataView(buffer);
  let at = 0;
  while (at + HEAD <= buffer.byteLength) {
    const length = view.getUint32(at, true);
    const kind = view.getUint8(at + 4);
    const start = at + HEAD;
    if (start + length > buffer.byteLength) throw new Error('A message of the app was torn.');
    const bytes = new Uint8Array(buffer, start, length);
    at = start + length;
    switch (kind) {
      case TEXT:
        yield { kind: 'text', text: decoder.decode(bytes) };
        break;
      case BINARY:
        yield { kind: 'binary', bytes };
        break;
      case STATUS:
        yield { kind: 'status', status: view.getUint16(start, true) };
        break;
      case CLOSE:
        yield { kind: 'close', why: decoder.decode(bytes) };
        break;
      default:
        throw new Error('The app said something unknown.');
    }
  }
}

/** Packs what is to be said, in its order. */
export function pack(messages: readonly (string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const parts = messages.map((message) =>
    typeof message === 'string' ? { kind: TEXT, bytes: encoder.encode(message) } : { kind: BINARY, bytes: message },
  );
  const all = new Uint8Array(parts.reduce((sum, { bytes }) => sum + HEAD + bytes.length, 0));
  const view = new DataView(all.buffer);
  let at = 0;
  for (const { kind, bytes } of parts) {
    view.setUint32(at, bytes.length, true);
    view.setUint8(at + 4, kind);
    all.set(bytes, at + HEAD);
    at += HEAD + bytes.length;
  }
  return all;
}

/** Takes a whole answer apart: its status, its media type and its body. */
export function unpackAnswer(buffer: ArrayBuffer): { status: number; mediaType: string; body: Uint8Array<ArrayBuffer> } {
  const view = new DataView(buffer);
  const length = view.getUint8(2);
  return {
    status: view.getUint16(0, true),
    mediaType: decoder.decode(new Uint8Array(buffer, 3, length)),
    body: new Uint8Array(buffer, 3 + length),
  };
}
