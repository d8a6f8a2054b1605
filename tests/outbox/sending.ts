import type { Server } from 'node:net';
import { onTestFinished } from 'vitest';
import type { TokenSource } from '../../shared/mailboxes/connect-inbox.ts';
import type { OutgoingMail } from '../../shared/outbox/outgoing-mail.ts';
import { createMailSender, type MailSender } from '../../shared/outbox/send-mail.ts';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { sales, support } from '../harness/stack/mail-lab.ts';

export const account = { providerId: 'p', accountId: 'a' };
export const letter = (connectRequest: Partial<OutgoingMail> = {}): OutgoingMail => ({
  from: { address: support, name: 'Contoso Ünterstützung' },
  to: [sales],
  subject: 'Grüße from the outbox',
  text: '.a line with a dot\n',
  messageId: '<outbox-1@postroom.example>',
  headers: { 'Auto-Submitted': 'auto-replied' },
  ...connectRequest,
});

export interface Asked {
  rejected?: string;
}

/** Gives these tokens one after the other, the last one for ever, and notes what was asked. */
export function tokensOf(...tokens: string[]): TokenSource & { asked: Asked[] } {
  const asked: Asked[] = [];
  return {
    asked,
    get(_account, { rejected }) {
      asked.push(rejected === undefined ? {} : { rejected });
      const token = tokens[Math.min(asked.length, tokens.length) - 1] ?? '';
      return Promise.resolve({ kind: 'token', token: new Secret(token) });
    },
  };
}

export const senderWith = (accessTokens: TokenSource, seam: Seam = openSeam): MailSender =>
  createMailSender({ seam, config: { local: true }, accessTokens });

/** Sends over the relay at this URL. @param local false: as in Azure */
export const relayAt = (url: string, { local = true } = {}): MailSender =>
  createMailSender({
    seam: openSeam,
    config: { local },
    accessTokens: tokensOf(),
    relayUrl: () => Promise.resolve(new Secret(url)),
  });

export async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
