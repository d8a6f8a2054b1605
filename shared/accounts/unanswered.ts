import { PostroomError } from '../platform/errors.ts';
import type { Answer } from '../providers/guarded-fetch.ts';
import type { Provider } from '../providers/provider.ts';
import { type EndpointFailure, readFailure, silence } from './token-failure.ts';

/** An answer other than 200, on its way to becoming a value. */
export class Unanswered extends Error {
  readonly #answer: Answer | undefined;
  readonly #host: string;

  constructor(answer: Answer | undefined, host: string) {
    super('no usable answer');
    this.#answer = answer;
    this.#host = host;
  }

  failure(now: number): EndpointFailure {
    const answer = this.#answer;
    if (answer === undefined) return silence(`No answer came from ${this.#host}.`);
    const retryAfter = answer.headers['retry-after'];
    const header = typeof retryAfter === 'string' ? retryAfter : undefined;
    return readFailure(this.#host, { status: answer.status, text: answer.text, retryAfter: header }, now);
  }
}

/** Whatever broke while talking to a provider, as a value. */
export function failureOf(
  error: unknown,
  provider: Provider,
  answer: Answer | undefined,
  now: number,
): EndpointFailure {
  if (error instanceof PostroomError && error.code === 'endpoint-refused')
    return { ...silence(error.message), status: 400, error: 'endpoint-refused' };
  if (answer !== undefined && answer.status !== 200)
    return new Unanswered(answer, provider.name).failure(now);
  return silence(
    error instanceof PostroomError
      ? error.message
      : `The sign-in service of ${provider.name} does not answer.`,
  );
}
