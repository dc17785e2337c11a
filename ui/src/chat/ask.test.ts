import { expect, test, vi } from 'vitest';
import type { Question } from '../api/types.ts';
import { answers, Ready, settled, UNREADY } from './ask.ts';

const question = (text: string, several = false): Question => ({
  question: text,
  header: '',
  several,
  options: ['A', 'B', 'C'].map((label) => ({ label, description: '' })),
});

test('questions are answered when each has a choice or words', () => {
  const questions = [question('One?'), question('Two?', true), question('Three?')];
  expect(settled(questions, {})).toBe(false);
  const given = { 0: { chosen: ['B'], text: '' }, 1: { chosen: ['C', 'A'], text: '' }, 2: { chosen: [], text: ' my own ' } };
  expect(settled(questions, { ...given, 2: { chosen: [], text: '  ' } })).toBe(false);
  expect(settled(questions, given)).toBe(true);
  expect(answers(questions, given).map(({ answer }) => answer)).toEqual(['B', 'A, C', 'my own']);
});

test('nothing is allowed in the moment in which it appears', () => {
  vi.useFakeTimers();
  const ready = vi.fn();
  new Ready(ready);
  const gone = new Ready(ready);
  gone.dispose();
  vi.advanceTimersByTime(UNREADY - 1);
  expect(ready).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(ready).toHaveBeenCalledOnce();
  vi.useRealTimers();
});
