import type { Error as WireError, ErrorCode } from './types.ts';

/** What the daemon refused, or that it could not be asked. */
export class ApiError extends Error {
  readonly code: ErrorCode | 'unreachable' | 'signed_out';
  readonly hint: string | null;

  constructor(code: ErrorCode | 'unreachable' | 'signed_out', message: string, hint?: string | null) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.hint = hint ?? null;
  }

  static unreachable(): ApiError {
    return new ApiError('unreachable', 'Clauderon’s daemon does not answer.', 'It is tried again by itself.');
  }

  /** Makes sense of an answer that is no success. */
  static from(status: number, json: unknown): ApiError {
    // Only a browser is ever asked who it is.
    if (status === 401) return new ApiError('signed_out', 'This browser is not signed in any more.', '`clauderon web` prints a link that signs it in.');
    if (isWireError(json)) return new ApiError(json.code, json.message, json.hint);
    return new ApiError('failed', `The daemon answered ${status} and gave no reason.`);
  }
}

/** Any thrown thing as an error that can be shown. */
export function shown(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  return new ApiError('failed', thrown instanceof Error ? thrown.message : String(thrown));
}

export function isWireError(json: unknown): json is WireError {
  return typeof json === 'object' && json !== null && 'code' in json && 'message' in json && typeof json.message === 'string';
}
