// What an agent waits for, as values. No connection.

import type { Answer, Approval, Question } from '../api/types.ts';

/** How long an answer that allows something takes no press after it appears, in milliseconds. */
export const UNREADY = 700;

/** What a person chose or wrote so far, by the question's place. */
export type Given = Record<number, { chosen: string[]; text: string } | undefined>;

/** Calls back once a person had the time to see what appeared. */
export class Ready {
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(ready: () => void) {
    this.#timer = setTimeout(ready, UNREADY);
  }

  dispose(): void {
    clearTimeout(this.#timer);
  }
}

export function askTitle(approval: Approval): string {
  switch (approval.wants) {
    case 'tool':
      return `Wants to use ${approval.tool}`;
    case 'plan':
      return 'Wants its plan approved';
    case 'answers':
      return approval.questions.length === 1 ? 'Asks you' : `Asks you ${approval.questions.length} things`;
  }
}

/** The answer to one question; empty while there is none. */
function answerTo(question: Question, given: Given[number]): string {
  const text = given?.text.trim() ?? '';
  if (text !== '') return text;
  const chosen = given?.chosen ?? [];
  return question.options.map(({ label }) => label).filter((label) => chosen.includes(label)).join(', ');
}

/** Whether every question has an answer. */
export function settled(questions: readonly Question[], given: Given): boolean {
  return questions.every((question, at) => answerTo(question, given[at]) !== '');
}

export function answers(questions: readonly Question[], given: Given): Answer[] {
  return questions.map((question, at) => ({ question: question.question, answer: answerTo(question, given[at]) }));
}
