import { randomUUID } from 'node:crypto';
import { GraphError } from '../graph-error.ts';

const TIMEOUT_MS = 10_000;

/**
 * Asks an endpoint to return a token, as Graph does before it sends anything there (Microsoft: "Receive change
 * notifications through webhooks", notificationUrl validation).
 * @throws GraphError 400 ValidationError unless it answers 200 with the token as plain text within 10 s
 */
export async function validateEndpoint(address: string): Promise<void> {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  // Graph itself requires https; the emulator never leaves this machine.
  if (url === undefined || !['localhost', '127.0.0.1'].includes(url.hostname))
    throw refusal('The emulator calls addresses of this machine only.');
  const validationToken = `Validation: Testing client application reachability. ${randomUUID()}`;
  url.searchParams.set('validationToken', validationToken);
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
    .then(async (response) => ({
      status: response.status,
      type: response.headers.get('content-type') ?? '',
      text: await response.text(),
    }))
    .catch(() => undefined);
  if (answer === undefined) throw refusal('Subscription validation request timed out.');
  if (answer.status !== 200 || !answer.type.startsWith('text/plain') || answer.text !== validationToken)
    throw refusal(
      `Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request. HTTP status code is '${answer.status}'.`,
    );
}

const refusal = (message: string): GraphError => new GraphError(400, 'ValidationError', message);
