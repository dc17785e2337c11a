// What a file of scenarios plays in: an installation, a browser and a page of it, made before the first scenario and gone
// after the last. A fault of the page fails the scenario that it happens in.
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { launch, open, skipSetup } from './browser.ts';
import { photograph } from './look.ts';
import { makeWorld, type Wanted, type World } from './world.ts';

export let world: World;
export let browser: Browser;
export let page: Page;
let faults: string[];

interface Setting extends Wanted {
  /** Makes what has to be there before the page is opened. */
  before?: () => void;
  /** Whether the first steps are left at once. */
  set?: boolean;
}

/** Sets the scene for all scenarios of a file. */
export function scene({ before, set = true, ...wanted }: Setting = {}): void {
  beforeAll(async () => {
    world = await makeWorld(wanted);
    browser = await launch();
    before?.();
    await reopen();
    if (set) await skipSetup(page);
  });
  afterAll(async () => {
    await browser?.close();
    await world?.close();
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await photograph(page, `failed-${task.name.split(':')[0]}`);
    expect(faults.splice(0)).toEqual([]);
  });
}

/** Goes on with another page, which is signed in anew. */
export async function reopen(): Promise<void> {
  ({ page, faults } = await open(browser, world));
}

/** A prompt that says itself what the model answers, step by step. */
export const script = (...steps: unknown[]) => `SCRIPT: ${JSON.stringify(steps)}`;

/** Makes a session from the command line. */
export const create = (name: string, ...more: string[]) => world.run('create', '--detach', '--backend', 'bubblewrap', '--name', name, ...more);
