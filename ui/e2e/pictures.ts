// Makes the README's pictures of a real run: node e2e/run.js e2e/pictures.ts FOLDER
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { go, launch, open, skipSetup } from './browser.ts';
import { commit, makeWorld } from './world.ts';

const folder = process.argv[2];
if (!folder) throw new Error('Say where the pictures go.');
const bash = (command: string, description?: string) => ({ tool: 'Bash', input: { command, description } });
const workflow = "on: push\\njobs:\\n  test:\\n    runs-on: ubuntu-latest\\n    steps:\\n      - run: python -m pytest\\n";
const world = await makeWorld({
  lines: {
    'Tidy the README': [{ text: 'Tidied.' }],
    'Round prices to whole cents': [
      { text: 'I look at how totals are made.', ...bash('cat price.py', 'Read the pricing code') },
      bash("sed -i 's/sum(/round(sum(/; s/items)$/items), 2)/' price.py", 'Round the total'),
      bash(`mkdir -p .github/workflows && printf '${workflow}' > .github/workflows/test.yml`, 'Run the tests on every push'),
      { text: 'Prices are rounded to cents, and a workflow runs the tests.' },
    ],
    'Show prices in euros and dollars': [{ text: 'I run the tests first.', ...bash('sleep 300', 'Run the tests') }, { text: 'Done.' }],
    'Move the orders to Postgres': [{ text: 'The orders are in Postgres.' }],
    'Upgrade Django to the next release': [{ text: 'Upgraded.' }],
    'Cut release 1.4': [
      { text: 'I check first that everything is committed.', ...bash('git status --short', 'Look for what is not committed') },
      { text: 'All is committed. Next comes the tag:', ...bash("git tag -a v1.4.0 -m 'Release 1.4'", 'Tag the release') },
      { text: 'Version 1.4 is tagged.' },
    ],
  },
});
mkdirSync(join(world.repository, '.claude'));
writeFileSync(join(world.repository, '.claude/settings.json'), JSON.stringify({ permissions: { ask: ['Bash(git tag *)'] } }));
commit(world.repository, 'ask before a tag');
const browser = await launch();
try {
  const create = (name: string, task: string, ...more: string[]) => world.run('create', '--detach', '--backend', 'bubblewrap', '--name', name, ...more, task);
  create('tidy-readme', 'Tidy the README');
  create('fix-rounding', 'Round prices to whole cents');
  create('add-currency', 'Show prices in euros and dollars');
  create('port-to-postgres', 'Move the orders to Postgres', '--agent', 'codex');
  create('upgrade-django', 'Upgrade Django to the next release');
  create('cut-release', 'Cut release 1.4');
  world.run('stop', 'upgrade-django');

  const { page } = await open(browser, world, { scale: 2 });
  const row = (name: string) => page.locator(`[data-session="${name}"]`);
  const picture = (name: string, height: number) => page.screenshot({ path: join(folder, name), clip: { x: 0, y: 0, width: 1280, height } });
  await skipSetup(page);
  await row('fix-rounding').getByText('Ready').waitFor({ timeout: 60_000 });
  await row('tidy-readme').getByText(/Ready|Idle/).waitFor();
  await row('add-currency').getByText('Working').waitFor({ timeout: 60_000 });
  await row('port-to-postgres').getByText(/Ready|Idle/).waitFor({ timeout: 60_000 });
  await row('cut-release').getByText(/approv/i).first().waitFor({ timeout: 60_000 });
  world.run('archive', 'tidy-readme');
  await row('tidy-readme').waitFor({ state: 'detached' });
  await page.evaluate(() => document.fonts.ready);
  await picture('window-sessions.png', 480);

  const listed = JSON.parse(world.run('list', '--json')) as { id: string; name: string }[];
  const id = (name: string) => listed.find((one) => one.name === name)?.id ?? '';
  await go(page, `#/session/${id('cut-release')}/chat`);
  await page.getByTestId('approval').getByRole('button', { name: 'Allow' }).and(page.locator(':enabled')).waitFor();
  await picture('window-chat.png', 720);
  await go(page, `#/session/${id('fix-rounding')}/diff`);
  await page.getByRole('article', { name: 'price.py' }).getByText('round').first().waitFor();
  await picture('window-diff.png', 560);
} finally {
  await browser.close();
  await world.close();
}
