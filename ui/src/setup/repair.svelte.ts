import type { Client } from '../api/client.ts';
import { ApiError, shown } from '../api/error.ts';
import type { Fix } from '../api/types.ts';

export type RepairNow =
  | { fix: Fix; stage: 'working'; message: string; percent: number | null }
  | { fix: Fix; stage: 'done'; message: string }
  | { fix: Fix; stage: 'failed'; error: ApiError };

/** One repair at a time, with its progress. */
export class RepairRun {
  #client: Pick<Client, 'repair'>;
  #abort: AbortController | null = null;
  now = $state.raw<RepairNow | null>(null);

  constructor(client: Pick<Client, 'repair'>) {
    this.#client = client;
  }

  async run(fix: Fix): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    this.now = { fix, stage: 'working', message: 'Begin', percent: null };
    try {
      for await (const line of this.#client.repair(fix, abort.signal)) {
        if (line.type === 'error') throw new ApiError(line.code, line.message, line.hint);
        if (line.type === 'done') {
          this.now = { fix, stage: 'done', message: line.message };
          return;
        }
        this.now = { fix, stage: 'working', message: line.message, percent: line.percent };
      }
      throw new ApiError('failed', 'The repair ended without a word.', 'Try again.');
    } catch (thrown) {
      this.now = abort.signal.aborted ? null : { fix, stage: 'failed', error: shown(thrown) };
    }
  }

  cancel(): void {
    this.#abort?.abort();
  }

  dispose(): void {
    this.cancel();
  }
}
