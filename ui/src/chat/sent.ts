// What is shown of messages on their way.

import type { MessageView } from '../api/types.ts';
import type { IconName } from '../parts/icons.ts';
import type { Tone } from '../state/standing.ts';

/** The messages that stand in no conversation yet. */
export function onTheirWay(messages: readonly MessageView[], now: number): MessageView[] {
  return messages.filter((message) => {
    switch (message.stage) {
      case 'queued':
      case 'typing':
      case 'typed':
      case 'not_delivered':
        return true;
      case 'entered':
        return now - message.since_ms < ENTERED;
      case 'accepted':
      case 'answered':
      case 'withdrawn':
        return false;
    }
  });
}

/** How long a command that was typed is shown. */
const ENTERED = 60_000;

/** The message that became a prompt of the conversation. */
export function messageOf(messages: readonly MessageView[], item: string): MessageView | undefined {
  return messages.find((message) => 'item' in message && message.item === item);
}

export interface StageWords {
  icon: IconName;
  word: string;
  tone: Tone;
}

export function stageWords(message: MessageView): StageWords {
  switch (message.stage) {
    case 'queued':
      return { icon: 'pause', word: 'Queued', tone: 'grey' };
    case 'typing':
      return { icon: 'keyboard', word: 'Being typed', tone: 'accent' };
    case 'typed':
      return { icon: 'keyboard', word: 'Typed', tone: 'accent' };
    case 'entered':
      return { icon: 'check', word: 'Typed', tone: 'grey' };
    case 'accepted':
      return { icon: 'check', word: 'Accepted', tone: 'accent' };
    case 'answered':
      return { icon: 'done', word: 'Answered', tone: 'green' };
    case 'not_delivered':
      return { icon: 'warning', word: 'Not delivered', tone: 'orange' };
    case 'withdrawn':
      return { icon: 'undo', word: 'Withdrawn', tone: 'grey' };
  }
}

/** What a person may do with a message. */
export function deedsOf(message: MessageView): { now: boolean; edit: boolean; retry: boolean; withdraw: boolean } {
  const queued = message.stage === 'queued';
  const undelivered = message.stage === 'not_delivered';
  const hurries = message.waits === 'working' || message.waits === 'draft' || message.waits === 'before' || message.waits === 'undelivered';
  return { now: queued && !message.now && hurries, edit: queued, retry: undelivered, withdraw: queued || undelivered };
}
