import type { Failure } from '../explanations/explain.ts';
import { codeFrom } from '../platform/problem.ts';

/** A request to a provider and its result. */
export interface SignInEvent {
  /** ISO time of the first occurrence. */
  at: string;
  result: 'signed-in' | 'refreshed' | 'retrying' | 'action-required';
  /** The failure's code, as `codeOf` names it. */
  code?: string | undefined;
  suberror?: string | undefined;
  /** The provider's own sentence, or ours. */
  message?: string | undefined;
  /** For the provider's support. */
  traceId?: string | undefined;
  correlationId?: string | undefined;
  /** Number of equal results in a row, the last one at `lastAt`. */
  times: number;
  lastAt: string;
}

const MAX_EVENTS = 50;
const MESSAGE_CHARACTERS = 200;
// A column of a row stores 32 Ki characters.
const MAX_CHARACTERS = 30_000;

/**
 * Adds an event, newest first. Repeated failures become one event with a count, so that an outage does not
 * push out older events. Events beyond the limit are dropped. Pure.
 */
export function withEvent(
  history: readonly SignInEvent[],
  event: Omit<SignInEvent, 'times' | 'lastAt'>,
): SignInEvent[] {
  const [newest, ...older] = history;
  const message = withoutCode(event.message, event.code)?.slice(0, MESSAGE_CHARACTERS);
  const next: SignInEvent = { ...event, message, times: 1, lastAt: event.at };
  const repeated =
    newest !== undefined &&
    event.code !== undefined &&
    newest.result === event.result &&
    newest.code === event.code;
  const all = repeated ? [{ ...next, at: newest.at, times: newest.times + 1 }, ...older] : [next, ...history];
  const kept = all.slice(0, MAX_EVENTS);
  while (kept.length > 1 && JSON.stringify(kept).length > MAX_CHARACTERS) kept.pop();
  return kept;
}

/** Microsoft starts its sentences with the code, which is shown separately here. */
const withoutCode = (message: string | undefined, code: string | undefined): string | undefined =>
  code !== undefined && message?.startsWith(`${code}: `) === true ? message.slice(code.length + 2) : message;

/** The input for the explanation of an event: its code and the provider's message. Pure. */
export const failureOf = ({
  code = 'unknown',
  suberror,
  message,
  traceId,
  correlationId,
}: Pick<SignInEvent, 'code' | 'suberror' | 'message' | 'traceId' | 'correlationId'>): Failure => ({
  code: codeFrom(code),
  suberror,
  said: message,
  traceId,
  correlationId,
});
