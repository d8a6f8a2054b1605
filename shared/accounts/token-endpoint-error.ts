import { PostroomError } from '../platform/errors.ts';
import type { Provider } from '../providers/provider.ts';
import type { Exchange } from './oauth-servers.ts';
import { type EndpointFailure, readFailure, silence } from './token-failure.ts';

/** A response other than 200, before it becomes a value. */
export class TokenEndpointError extends Error {
  readonly #exchange: Exchange;
  readonly #host: string;

  constructor(exchange: Exchange, host: string) {
    super('no usable response');
    this.#exchange = exchange;
    this.#host = host;
  }

  failure(now: number): EndpointFailure {
    const { answer, sent } = this.#exchange;
    if (answer === undefined) return silence(`No response from ${this.#host}.`);
    const retryAfter = answer.headers['retry-after'];
    const header = typeof retryAfter === 'string' ? retryAfter : undefined;
    return readFailure(
      this.#host,
      { status: answer.status, text: answer.text, retryAfter: header },
      now,
      sent,
    );
  }
}

/** Turns any error of a provider call into a value. */
export function failureOf(
  error: unknown,
  provider: Provider,
  exchange: Exchange,
  now: number,
): EndpointFailure {
  if (error instanceof PostroomError && error.code === 'endpoint-refused')
    return { ...silence(error.message), status: 400, error: 'endpoint-refused' };
  const { answer } = exchange;
  if (answer !== undefined && answer.status !== 200)
    return new TokenEndpointError(exchange, provider.name).failure(now);
  return silence(
    error instanceof PostroomError
      ? error.message
      : `The sign-in service of ${provider.name} does not respond.`,
  );
}
