// What the Info tab knows: what the session holds, what it may reach, and what it reached, as it happens.

import type { Client } from '../api/client.ts';
import { type ApiError, shown } from '../api/error.ts';
import type { AuditRow, HealthAction, PolicyView, Posture, SessionInfo } from '../api/types.ts';
import { backoff } from '../terminal/backoff.ts';
import { type Egress, type EgressRow, grantName, QUIET, withRecord } from './egress.ts';

/** How often what it uses is read again while it is looked at. */
const EVERY = 5000;
const BACKLOG = 300;

export class InfoModel {
  info = $state.raw<SessionInfo | undefined>(undefined);
  problem = $state.raw<ApiError | undefined>(undefined);
  policy = $state.raw<PolicyView>({ posture: 'balanced', grants: [], refused: [] });
  policyProblem = $state.raw<ApiError | undefined>(undefined);
  egress = $state.raw<Egress>(QUIET);
  /** Whether the list hears of requests as they happen. */
  live = $state(false);
  busy = $state<string | undefined>(undefined);
  actionProblem = $state.raw<ApiError | undefined>(undefined);

  readonly #end = new AbortController();
  #every: ReturnType<typeof setInterval> | undefined;
  #policySoon: ReturnType<typeof setTimeout> | undefined;
  #pending: AuditRow[] = [];

  constructor(
    private readonly client: Client,
    /** Its name or identifier; the audit knows identifiers. */
    private readonly session: string,
  ) {}

  start(): void {
    void this.#load();
    void this.#loadPolicy();
    void this.#follow();
    this.#every = setInterval(() => void this.#load(), EVERY);
  }

  dispose(): void {
    this.#end.abort();
    clearInterval(this.#every);
    clearTimeout(this.#policySoon);
  }

  async allow(row: EgressRow, always: boolean): Promise<boolean> {
    return this.#act(`allow ${row.key}`, async () => {
      this.policy = await this.client.allow(this.session, { host: grantName(row), always });
    });
  }

  async setPosture(posture: Posture): Promise<boolean> {
    return this.#act('posture', async () => {
      await this.client.update(this.session, { posture });
      await this.#loadPolicy();
    });
  }

  async mend(action: Exclude<HealthAction, 'cleanup'>): Promise<boolean> {
    return this.#act(action, async () => {
      switch (action) {
        case 'start':
          await this.client.start(this.session);
          break;
        case 'recreate':
          await this.client.recreate(this.session);
          break;
      }
      await this.#load();
    });
  }

  async #act(name: string, action: () => Promise<void>): Promise<boolean> {
    this.busy = name;
    this.actionProblem = undefined;
    try {
      await action();
      return true;
    } catch (thrown) {
      this.actionProblem = shown(thrown);
      return false;
    } finally {
      this.busy = undefined;
    }
  }

  async #load(): Promise<void> {
    try {
      this.info = await this.client.info(this.session);
      this.problem = undefined;
    } catch (thrown) {
      this.problem = shown(thrown);
    }
  }

  async #loadPolicy(): Promise<void> {
    try {
      this.policy = await this.client.policy(this.session);
      this.policyProblem = undefined;
    } catch (thrown) {
      this.policyProblem = shown(thrown);
    }
  }

  async #follow(): Promise<void> {
    for (let attempt = 0; !this.#end.signal.aborted; attempt += 1) {
      try {
        for await (const line of this.client.audit({ session: this.session, n: BACKLOG, follow: true }, this.#end.signal)) {
          attempt = 0;
          this.live = true;
          this.#take(line as AuditRow);
        }
      } catch {
        // It is opened again below; the list says meanwhile that it is not live.
      }
      this.live = false;
      if (this.#end.signal.aborted) return;
      await new Promise((done) => setTimeout(done, backoff(attempt, Math.random())));
    }
  }

  /** Records come in bursts: a burst is one change of the list. */
  #take(row: AuditRow): void {
    this.#pending.push(row);
    if (this.#pending.length > 1) return;
    setTimeout(() => {
      const rows = this.#pending;
      this.#pending = [];
      this.egress = rows.reduce(withRecord, this.egress);
      if (rows.some(({ kind }) => kind === 'refusal')) this.#policyLater();
    }, 30);
  }

  #policyLater(): void {
    clearTimeout(this.#policySoon);
    this.#policySoon = setTimeout(() => void this.#loadPolicy(), 200);
  }
}
