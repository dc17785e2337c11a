// A thousand cuts of a terminal's connection, between the page's own classes and the real daemon: no byte of the log is
// lost, and none is drawn twice.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { pathFor } from '../src/api/client.ts';
import type { Socket } from '../src/api/transport.ts';
import type { Session } from '../src/api/types.ts';
import { Flow } from '../src/terminal/flow.ts';
import { Link, type Place } from '../src/terminal/link.ts';
import { makeWorld, replaceAgent, type World } from './world.ts';

const CUTS = 1000;
const END = 'that was all';

/** An agent that begins to print when it is told to, and ends when it is told to: numbered lines with colours and letters of several bytes. */
const AGENT = `#!/bin/bash
read -r
until read -r -t 0.01; do
  for (( line = 0; line < 50; line++ )); do printf '\\e[3%dm%d\\e[0m é ✓ %*s\\n' $(( ++count % 8 )) $count $(( count % 50 )) x; done
done
echo '${END}'
exec sleep infinity
`;

let world: World;

beforeAll(async () => {
  world = await makeWorld();
  replaceAgent(world, AGENT);
});

afterAll(() => world?.close());

/** The same dice at each run. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >>> 8) % below;
  };
}

/** A real connection that breaks without a word once `room` bytes have come: the message that was one too many is lost or not. */
class Wire implements Socket {
  onopen?: () => void;
  onmessage?: (message: string | Uint8Array) => void;
  onclose?: (why: string) => void;
  readonly #socket: WebSocket;

  constructor(url: URL, cookie: string, room: number, lost: boolean) {
    this.#socket = new WebSocket(url, { headers: { cookie, origin: `http://${url.host}` } });
    this.#socket.binaryType = 'nodebuffer';
    let left = room;
    this.#socket.on('message', (data: Buffer, binary: boolean) => {
      left -= data.byteLength;
      if (left >= 0 || !lost) this.onmessage?.(binary ? new Uint8Array(data) : data.toString());
      if (left < 0) this.#socket.terminate();
    });
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => this.onclose?.('cut'));
  }

  send(message: string | Uint8Array): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(message);
  }

  close(): void {
    this.#socket.close();
  }
}

test('a thousand cuts lose no byte of a terminal and draw none twice', { timeout: 180_000 }, async () => {
  const throws = dice(42);
  const drawn: Uint8Array[] = [];
  const resets: number[] = [];
  let cuts = -1;
  let ended = (): void => undefined;
  const end = new Promise<void>((done) => (ended = done));

  const signedIn = await fetch(world.link, { redirect: 'manual' });
  const cookie = signedIn.headers.getSetCookie().map((one) => one.split(';')[0]).join('; ');
  world.run('create', '--detach', '--backend', 'bubblewrap', '--name', 'talker', 'Talk.');
  const [session] = JSON.parse(world.run('list', '--json')) as [Session];

  const address = (place: Place | undefined): URL => new URL(pathFor('Console', session.id, { ...place }), world.link.replace('http', 'ws'));
  let drawing = Promise.resolve();
  const screen = {
    // Draws a little later, so that cuts also fall between what came and what is drawn.
    write(bytes: Uint8Array, _stream: unknown, parsed: () => void): void {
      drawing = drawing.then(async () => {
        await new Promise((done) => setTimeout(done, throws(3)));
        drawn.push(bytes.slice());
        parsed();
        if (Buffer.concat(drawn.slice(-3)).includes(`${END}\r\n`)) ended();
      });
    },
    reset: () => resets.push(Buffer.concat(drawn).byteLength),
    resize: () => undefined,
  };
  let epoch: number | undefined;
  const flow = new Flow(screen, (bytes) => link.acknowledge(bytes));
  const link: Link = new Link(
    {
      open: (place) => {
        cuts += 1;
        return new Wire(address(place), cookie, cuts < CUTS ? 300 + throws(4000) : Infinity, throws(2) === 0);
      },
      later: (_ms, then) => {
        const soon = setImmediate(then);
        return () => clearImmediate(soon);
      },
      random: () => 0,
    },
    {
      hello: (hello) => {
        epoch = hello.epoch;
        flow.connected();
      },
      output: (output) => flow.take(output),
      size: (size) => flow.size(size),
      state: (state) => {
        if (state.kind === 'live' && (cuts === 0 || cuts === CUTS)) link.type(new TextEncoder().encode('\r'));
      },
    },
    () => (flow.received > 0 ? { from: flow.received, epoch } : undefined),
  );
  link.open();
  await end;
  const parsed = flow.parsed;
  link.close();
  flow.close();

  expect(cuts).toBe(CUTS);
  // The first connection's own, of an empty log.
  expect(resets).toEqual([0]);
  const log = readFileSync(join(world.home, 'sessions', session.id, 'terminal.log'));
  expect(parsed).toBe(log.byteLength);
  expect(Buffer.concat(drawn).equals(log)).toBe(true);
});
