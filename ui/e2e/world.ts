// A whole installation for a browser: the scripted upstream, a home, a repository and the real daemon with its page.
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
const HOSTS = ['api.anthropic.com', 'api.openai.com', 'chatgpt.com', 'github.com', 'echo.example'];

export interface World {
  root: string;
  home: string;
  repository: string;
  /** A link that signs the browser in. */
  link: string;
  run(...args: string[]): string;
  restart(): Promise<string>;
  stopDaemon(): Promise<void>;
  close(): Promise<void>;
}

function programs(): string {
  const folder = process.env['CLAUDERON_TEST_BIN'] ?? join(process.env['CARGO_TARGET_DIR'] ?? join(ROOT, 'target'), 'debug');
  if (!existsSync(join(folder, 'clauderon'))) throw new Error(`There is no clauderon in ${folder}; scripts/build dev makes one.`);
  return folder;
}

export interface Wanted {
  /** Where it lies; otherwise in a folder of its own that goes with it. */
  at?: string;
  /** Variables that the daemon and every command get. */
  env?: Record<string, string>;
  /** What the model answers to these prompts, which then need no script of their own. */
  lines?: Record<string, unknown[]>;
}

export async function makeWorld({ at, env: more = {}, lines = {} }: Wanted = {}): Promise<World> {
  const bin = programs();
  const agents = process.env['CLAUDERON_TEST_AGENTS'];
  if (!agents) throw new Error('CLAUDERON_TEST_AGENTS names no folder of agents; scripts/test-agents makes one.');
  if (at) mkdirSync(at, { recursive: true });
  const root = at ?? mkdtempSync('/tmp/cl-ui-');
  const [home, repository] = [join(root, 'home'), join(root, 'storefront')];
  for (const folder of [home, repository, join(home, 'secrets')]) mkdirSync(folder, { recursive: true });
  makeRepository(repository);

  const ca = join(root, 'upstream-ca.pem');
  const known = join(root, 'lines.json');
  writeFileSync(known, JSON.stringify(lines));
  const upstream = spawn(join(bin, 'clauderon-rehearsal'), ['--listen', '127.0.0.1:0', '--ca-out', ca, '--host', 'echo.example', '--lines', known], { stdio: ['ignore', 'pipe', 'inherit'] });
  const listening = await line(upstream, /listening on (\S+)/);
  const address = listening[1] ?? '';
  const resolveRows = HOSTS.map((host) => `"${host}:443" = "${address}"\n`).join('');
  writeFileSync(join(home, 'proxy.toml'), `[upstream]\nca_file = ${JSON.stringify(ca)}\n[upstream.resolve]\n${resolveRows}`);
  for (const [name, value] of [['anthropic_oauth_token', 'sk-ant-oat01-scripted'], ['openai_api_key', 'sk-proj-scripted']] as const) {
    writeFileSync(join(home, 'secrets', name), value);
    chmodSync(join(home, 'secrets', name), 0o600);
  }
  if (!existsSync(join(home, 'agents'))) symlinkSync(agents, join(home, 'agents'));

  const env = { CLAUDERON_HOME: home, HOME: root, PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', LANG: 'C.UTF-8', ...more };
  const run = (...args: string[]) => execFileSync(join(bin, 'clauderon'), args, { cwd: repository, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  // A file, not a pipe: nobody reads a pipe while a command is waited for, and the daemon would wait too.
  const log = openSync(join(root, 'daemon.log'), 'a');
  let daemon: ChildProcess | null = null;
  const start = async (port: string) => {
    daemon = spawn(join(bin, 'clauderon'), ['daemon', '--http-port', port, '--ui-dir', join(ROOT, 'ui/dist')], { env, cwd: root, stdio: ['ignore', 'pipe', log] });
    return (await line(daemon, /(http:\/\/127\.0\.0\.1:\d+\S*)/))[1] ?? '';
  };
  const stopDaemon = async () => {
    const old = daemon;
    daemon = null;
    if (!old || old.exitCode !== null) return;
    const gone = new Promise((done) => old.once('exit', done));
    old.kill('SIGTERM');
    await gone;
  };
  const end = async () => {
    await stopDaemon();
    upstream.kill('SIGINT');
    if (!at) rmSync(root, { recursive: true, force: true });
  };
  const link = await start('0');
  const port = new URL(link).port;
  return {
    root,
    home,
    repository,
    link,
    run,
    stopDaemon,
    restart: async () => {
      await stopDaemon();
      return start(port);
    },
    close: async () => {
      for (const session of JSON.parse(run('list', '--json')) as { name: string }[]) run('delete', '--yes', session.name);
      // Where a scenario left none, the command has started its own.
      if (daemon === null) run('daemon', 'stop');
      await end();
    },
  };
}

/** Puts a program of the test's own into the place of Claude Code, for what the real one cannot be made to do. */
export function replaceAgent(world: World, program: string): void {
  const version = readdirSync(join(process.env['CLAUDERON_TEST_AGENTS'] ?? '', 'claude')).sort().at(-1) ?? '';
  const agents = join(world.home, 'agents');
  rmSync(agents);
  const folder = join(agents, 'claude', version);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'claude'), program);
  chmodSync(join(folder, 'claude'), 0o755);
}

function makeRepository(folder: string): void {
  if (existsSync(join(folder, '.git'))) return;
  execFileSync('git', ['-C', folder, 'init', '-q', '-b', 'main']);
  writeFileSync(join(folder, 'README.md'), '# Storefront\n\nA small shop.\n');
  writeFileSync(join(folder, 'price.py'), 'def total(items):\n    return sum(i.price for i in items)\n');
  commit(folder, 'begin');
}

/** Commits all that is in a repository. */
export function commit(folder: string, message: string): void {
  const git = (...args: string[]) => execFileSync('git', ['-C', folder, '-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args]);
  git('add', '.');
  git('commit', '-qm', message);
}

/** Waits for a line of the program's output that fits. */
function line(program: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((done, fail) => {
    let text = '';
    const take = (chunk: Buffer) => {
      text += chunk.toString();
      const found = pattern.exec(text);
      if (found) done(found);
    };
    program.stdout?.on('data', take);
    program.stderr?.on('data', take);
    program.once('exit', (code) => fail(new Error(`It ended with ${code}:\n${text}`)));
  });
}
