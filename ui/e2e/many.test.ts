// A thousand sessions in one list.
import { expect, test } from 'vitest';
import { go } from './browser.ts';
import { create, page, scene } from './scene.ts';

const COUNT = 1000;

/** Tells the page the daemon's state again, in which these of the copies are done. */
let tell: (done: (index: number) => boolean) => void = () => {};

scene({ before: () => create('first', 'Hello.') });

/** The daemon's own state, in which its one session stands a thousand times; its changes come through as they are. */
function multiplied(message: string, done: (index: number) => boolean = () => false): string {
  const event = JSON.parse(message) as { type: string; sessions?: Record<string, unknown>[] };
  const [first] = event.sessions ?? [];
  if (event.type !== 'state' || !first) return message;
  const standings = ['needs-you', 'working', 'ready', 'idle', 'done'];
  const more = Array.from({ length: COUNT - 1 }, (_, index) => ({
    ...first,
    id: `copy${index}`,
    name: `task-${index}`,
    branch: `clauderon/task-${index}`,
    standing: done(index) ? 'done' : standings[index % standings.length],
    created_ms: Number(first['created_ms']) - index * 60_000,
  }));
  return JSON.stringify({ ...event, sessions: [first, ...more] });
}

test('list-thousand: of a thousand sessions only those in view are drawn', { timeout: 120_000 }, async () => {
  // It stands still before it is a thousand.
  await page.locator('[data-session="first"]').getByText(/Ready|Idle/).waitFor({ timeout: 60_000 });
  await page.routeWebSocket(/\/ws\/events/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((message) => {
      const text = String(message);
      if (text.includes('"type":"state"')) tell = (done) => socket.send(multiplied(text, done));
      socket.send(multiplied(text));
    });
  });
  await page.reload();
  await page.locator('[data-session="first"], [data-session="task-0"]').first().waitFor({ timeout: 60_000 });
  expect(await page.getByTestId('session-list').locator('[data-session]').count()).toBeLessThan(80);
  const frames = await page.evaluate(async () => {
    const list = document.querySelector<HTMLElement>('[data-testid="session-list"]');
    if (!list) throw new Error('no list');
    const took: number[] = [];
    const bottom = list.scrollHeight - list.clientHeight;
    await new Promise(requestAnimationFrame);
    let last = performance.now();
    for (let step = 1; step <= 120; step++) {
      list.scrollTop = (bottom * step) / 120;
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      took.push(now - last);
      last = now;
    }
    took.sort((a, b) => a - b);
    return { height: list.scrollHeight, p95: took[Math.floor(took.length * 0.95)] ?? 0, worst: took.at(-1) ?? 0 };
  });
  console.log('scrolling 1,000 sessions, milliseconds a frame:', frames);
  expect(frames.height).toBeGreaterThan(COUNT * 30);
  expect(frames.p95).toBeLessThan(100);
  expect(await page.getByTestId('session-list').locator('[data-session]').count()).toBeLessThan(80);
  await page.keyboard.press('/');
  await page.keyboard.type('task-77');
  await page.locator('[data-session="task-777"]').waitFor();
  expect(await page.getByTestId('session-list').locator('[data-session]').count()).toBe(11);

  await go(page, '#/session/copy777/info');
  await page.reload();
  const row = page.locator('[data-session="task-777"]');
  await row.waitFor();
  const isInView = async () => {
    const [seen, within] = [await row.boundingBox(), await page.getByTestId('session-list').boundingBox()];
    return Boolean(seen && within && seen.y >= within.y && seen.y + seen.height <= within.y + within.height);
  };
  await expect.poll(isInView).toBe(true);
  // What moves above it is nobody who scrolls.
  const place = Number(await row.getAttribute('aria-posinset'));
  tell((index) => index < 100);
  await expect.poll(async () => Number(await row.getAttribute('aria-posinset'))).toBe(place - 20);
  await expect.poll(isInView).toBe(true);
  await page.setViewportSize({ width: 1280, height: 600 });
  await expect.poll(isInView).toBe(true);
  // Who looks at something else is left there.
  await page.getByTestId('session-list').evaluate((list) => (list.scrollTop = 0));
  await page.setViewportSize({ width: 1280, height: 500 });
  await page.locator('[data-session="task-100"]').waitFor();
  expect(await row.count()).toBe(0);
});
