// The terminal's page alone, with a console in the page: `npm run bench` measures it in Chromium and prints a table, with
// `--json` the figures. With `--serve` it prints the page's address and serves until its input ends, for another driver.

import { chromium } from 'playwright-core';
import { createServer } from 'vite';

const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium';
const KEYS = Number(process.env.KEYS ?? 200);
const MIB = Number(process.env.MIB ?? 50);
const [mode] = process.argv.slice(2);

const server = await createServer({ configFile: 'vite.config.ts', server: { port: 0, host: '127.0.0.1', hmr: false }, logLevel: 'error' });
await server.listen();
const address = server.resolvedUrls?.local[0];
if (address === undefined) throw new Error('the page is not served');
const url = `${address}bench/index.html`;
try {
  if (mode === '--serve') await serve();
  else await measure();
} finally {
  await server.close();
}

async function serve() {
  console.log(url);
  for await (const _ of process.stdin);
}

async function measure() {
  const browser = await chromium.launch({ executablePath: EXECUTABLE, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await page.goto(url);
    await page.waitForFunction(() => 'bench' in window);
    /** @type {Record<string, Record<string, number>>} */
    const all = {};
    for (const renderer of ['dom', 'webgl']) all[renderer] = await figures(page, renderer);
    if (mode === '--json') console.log(JSON.stringify(all));
    else console.table(all);
  } finally {
    await browser.close();
  }
}

/** @param {import('playwright-core').Page} page @param {string} renderer */
async function figures(page, renderer) {
  await page.evaluate((one) => window.bench.attach(one), renderer);
  await page.evaluate((one) => window.bench.beginTyping(one), renderer);
  for (let key = 0; key < KEYS; key += 1) {
    await page.keyboard.press(String.fromCharCode(97 + (key % 26)));
    await page.waitForTimeout(30 + (key % 7) * 5);
  }
  const keys = await page.evaluate(() => window.bench.endTyping());
  const flow = await page.evaluate(([one, mib]) => window.bench.throughput(one, mib), [renderer, MIB]);
  const attach = await page.evaluate((one) => window.bench.attach(one), renderer);
  return { 'key to frame, p95 ms': percentile(keys, 0.95), 'output MB/s': flow.mbPerSecond, 'longest stall ms': flow.longestStallMs, 'attach, 2 MiB, ms': attach.ms };
}

/** @param {number[]} samples @param {number} share */
function percentile(samples, share) {
  const sorted = [...samples].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
