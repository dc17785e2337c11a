// A real Secret Service of its own: a private message bus with GNOME Keyring on it, as `tests/src/keyring.rs` has one.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const PASSWORD = 'correct horse';
const LOGIN = '/org/freedesktop/secrets/collection/login';
const BUS = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`;

export class Keyring {
  #folder: string;
  #bus: ChildProcess;
  #service: ChildProcess | null = null;
  readonly address: string;

  private constructor(folder: string, bus: ChildProcess, address: string) {
    this.#folder = folder;
    this.#bus = bus;
    this.address = address;
  }

  static async start(folder: string): Promise<Keyring> {
    mkdirSync(folder, { mode: 0o700 });
    const config = join(folder, 'bus.conf');
    writeFileSync(config, BUS);
    const bus = spawn('dbus-daemon', [`--config-file=${config}`, '--nofork', '--print-address=1'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const address = await new Promise<string>((done, fail) => {
      bus.stdout.once('data', (chunk: Buffer) => done(chunk.toString().trim()));
      bus.once('error', fail);
    });
    const keyring = new Keyring(folder, bus, address);
    await keyring.unlock();
    return keyring;
  }

  /** Begins the service anew with its password, as a login does; its items are there again. */
  async unlock(): Promise<void> {
    const old = this.#service;
    if (old !== null) await new Promise((done) => (old.once('exit', done), old.kill()));
    this.#service = spawn('gnome-keyring-daemon', ['--foreground', '--unlock', '--components=secrets', `--control-directory=${join(this.#folder, 'control')}`], { env: this.#env(), stdio: ['pipe', 'ignore', 'ignore'] });
    this.#service.stdin?.end(PASSWORD);
    for (let tries = 0; !this.#ask('ReadAlias', 'string:default').includes(LOGIN); tries += 1) {
      if (tries > 400) throw new Error('The keyring does not open.');
      await wait(50);
    }
  }

  /** Locks it, as a screen lock does. */
  lock(): void {
    if (!this.#ask('Lock', `array:objpath:${LOGIN}`).includes(LOGIN)) throw new Error('The keyring did not lock.');
  }

  stop(): void {
    this.#service?.kill();
    this.#bus.kill();
  }

  #ask(method: string, argument: string): string {
    try {
      return execFileSync('dbus-send', ['--session', '--print-reply', '--dest=org.freedesktop.secrets', '/org/freedesktop/secrets', `org.freedesktop.Secret.Service.${method}`, argument], { env: this.#env(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    } catch {
      return '';
    }
  }

  #env(): Record<string, string> {
    return { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: this.#folder, XDG_RUNTIME_DIR: this.#folder, DBUS_SESSION_BUS_ADDRESS: this.address };
  }
}
