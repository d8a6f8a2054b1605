import type { LookDeps } from '../shared/connection-test/run-connection-test.ts';
import { ticketsOfMessageId } from '../shared/tickets/derived-rows.ts';
import type { Services } from './services.ts';

/** With what the mail to oneself of a connection test is looked for. */
export function lookDepsOf(services: Services): LookDeps {
  const { tables } = services;
  return {
    ...services,
    isTicket: async (mailboxId, messageId) =>
      (await ticketsOfMessageId(tables, mailboxId, messageId)).length > 0,
  };
}
