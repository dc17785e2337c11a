// What is being named in a composer, and what is offered for it.

import { type Naming, namingAt, type Option } from './complete.ts';

export class NamingModel {
  naming = $state.raw<Naming>();
  options = $state.raw<readonly Option[]>([]);
  at = $state(0);
  /** Where the person did not want to be helped. */
  #declined: number | undefined;

  constructor(private readonly find: (naming: Naming) => Promise<readonly Option[]>) {}

  get open(): boolean {
    return this.options.length > 0;
  }

  /** Looks at what is written before the caret. */
  async look(text: string, caret: number): Promise<void> {
    const naming = namingAt(text, caret);
    if (naming?.from !== this.#declined) this.#declined = undefined;
    if (naming === undefined || this.#declined !== undefined) return this.close();
    const before = this.naming;
    if (before?.from === naming.from && before.query === naming.query && before.kind === naming.kind) return;
    this.naming = naming;
    let options: readonly Option[] = [];
    try {
      options = await this.find(naming);
    } catch {
      // A folder that is not there has no files to offer.
    }
    if (this.naming !== naming) return;
    this.options = options;
    this.at = 0;
  }

  move(by: number): void {
    this.at = (this.at + by + this.options.length) % this.options.length;
  }

  close(): void {
    this.naming = undefined;
    this.options = [];
  }

  /** Closes it, and leaves it closed until something else is named. */
  decline(): void {
    this.#declined = this.naming?.from;
    this.close();
  }
}
