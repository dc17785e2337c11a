// Watches the real window from inside, without a hook in the product: what crosses between page and app, and what is
// drawn. Everything goes through `fetch`, so that is where bytes are counted.

const heads = { text: 0, binary: 1 };
const SNAPSHOT = 3;

/** The frames of a message: a length, a kind and the bytes, one after the other. */
function* frames(buffer) {
  const bytes = new Uint8Array(buffer.buffer ?? buffer, buffer.byteOffset ?? 0, buffer.byteLength);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 5 <= bytes.byteLength; ) {
    const length = view.getUint32(at, true);
    yield { kind: bytes[at + 4], bytes: bytes.subarray(at + 5, at + 5 + length) };
    at += 5 + length;
  }
}

const after = new MessageChannel();
const waiting = [];
after.port1.onmessage = () => waiting.splice(0).forEach((done) => done(performance.now()));

/** The time after the next frame. */
function frame() {
  return new Promise((done) =>
    requestAnimationFrame(() => {
      waiting.push(done);
      after.port2.postMessage(0);
    }),
  );
}

/** The lines that a terminal shows, however it is drawn. */
function shown() {
  return document.querySelector('.xterm-rows')?.textContent ?? '';
}

const bench = {
  /** Of the last terminal that was opened: bytes that came, bytes whose drawing was acknowledged, snapshots, and when. */
  flow: {},
  longestStall: 0,
  keys: [],

  reset() {
    bench.flow = { received: 0, messages: 0, snapshots: 0, snapshotBytes: 0, acknowledged: 0, began: 0, ended: 0 };
    bench.longestStall = 0;
  },

  /** From here to the frame in which the terminal of `id` shows `text`. */
  async attach(id, text) {
    bench.reset();
    const began = performance.now();
    location.hash = `#/session/${id}/terminal`;
    for (;;) {
      const at = await frame();
      if (shown().includes(text)) return { ms: at - began, opened: bench.flow.opened - began, arrived: bench.flow.ended - began, bytes: bench.flow.snapshotBytes, stall: bench.longestStall };
    }
  },

  usable() {
    const [mark] = performance.getEntriesByName('usable');
    return mark === undefined ? null : performance.timeOrigin + mark.startTime;
  },
};

const ask = window.fetch;
window.fetch = async (address, options) => {
  const { pathname } = new URL(String(address), location.href);
  const command = decodeURIComponent(pathname.slice(1));
  if (command === 'socket_send' && options?.body) said(options.body);
  if (command === 'socket_open') bench.flow.opened = performance.now();
  const answer = await ask.call(window, address, options);
  if (!command.startsWith('plugin:__TAURI_CHANNEL__')) return answer;
  const read = answer.arrayBuffer.bind(answer);
  answer.arrayBuffer = async () => {
    const buffer = await read();
    heard(buffer);
    return buffer;
  };
  return answer;
};

function said(body) {
  for (const { kind, bytes } of frames(body)) {
    if (kind !== heads.text) continue;
    const text = JSON.parse(new TextDecoder().decode(bytes));
    if (text.type !== 'parsed') continue;
    bench.flow.acknowledged = text.bytes;
    bench.flow.drawn = performance.now();
  }
}

function heard(buffer) {
  const { flow } = bench;
  flow.ended = performance.now();
  flow.began ||= flow.ended;
  flow.messages += 1;
  for (const { kind, bytes } of frames(buffer)) {
    if (kind !== heads.binary) continue;
    flow.received += bytes.byteLength - 9;
    if (bytes[0] !== SNAPSHOT) continue;
    flow.snapshots += 1;
    flow.snapshotBytes += bytes.byteLength - 9;
  }
}

// The longest time in which nothing else could run.
let last = performance.now();
setInterval(() => {
  const now = performance.now();
  bench.longestStall = Math.max(bench.longestStall, now - last);
  last = now;
}, 1);

// From a key to the end of the first frame that shows its echo.
let typed = '';
window.addEventListener(
  'keydown',
  (event) => {
    const began = performance.now();
    if (event.key.length !== 1) return void (typed = '');
    typed += event.key;
    const wanted = typed;
    const seen = async () => {
      while (!shown().includes(wanted)) await frame();
      bench.keys.push(performance.now() - began);
    };
    void frame().then(seen);
  },
  { capture: true },
);

bench.reset();
window.bench = bench;
