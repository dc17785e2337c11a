// The console's frames, as bytes and as values. Binary frames are output, text frames are everything else.

import type { ConsoleClientText, ConsoleText } from '../api/types.ts';

/** What a binary frame carries. */
export type Stream = 'terminal' | 'stdout' | 'stderr' | 'snapshot';

export interface Output {
  stream: Stream;
  /** Offset after these bytes: attach from here to get exactly what follows them. */
  next: number;
  bytes: Uint8Array;
}

const HEADER = 9;
const STREAMS: readonly Stream[] = ['terminal', 'stdout', 'stderr', 'snapshot'];

/** Reads a binary frame; undefined where it is too short or of a stream that we do not know. */
export function readOutput(frame: Uint8Array): Output | undefined {
  if (frame.byteLength < HEADER) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const stream = STREAMS[view.getUint8(0)];
  const next = view.getBigUint64(1, true);
  if (stream === undefined || next > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return { stream, next: Number(next), bytes: frame.subarray(HEADER) };
}

/** Packs output as the daemon does; the tests and the bench need it. */
export function writeOutput({ stream, next, bytes }: Output): Uint8Array {
  const frame = new Uint8Array(HEADER + bytes.byteLength);
  const view = new DataView(frame.buffer);
  view.setUint8(0, STREAMS.indexOf(stream));
  view.setBigUint64(1, BigInt(next), true);
  frame.set(bytes, HEADER);
  return frame;
}

/** Reads a text frame; undefined where it is none of ours, since a newer daemon may say more. */
export function readText(frame: string): ConsoleText | undefined {
  let value: unknown;
  try {
    value = JSON.parse(frame);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('type' in value)) return undefined;
  switch (value.type) {
    case 'hello':
    case 'size':
    case 'exit':
    case 'error':
      return value as ConsoleText;
    default:
      return undefined;
  }
}

export function writeText(text: ConsoleClientText): string {
  return JSON.stringify(text);
}
