import type { Code } from '../platform/problem.ts';
import type { ConnectFailure } from './connect-inbox.ts';
import type { Mailbox } from './mailbox.ts';

/** How strongly a refused sign-in of Exchange suggests that its protocol is switched off for the mailbox. */
export type GraphHint =
  /** Exchange accepted the token and kept the mailbox closed: the protocol is off, or a right is missing. */
  | 'likely'
  /** Exchange refused the sign-in without a reason: the token, the address or the protocol. */
  | 'possible';

const CLOSED = /\bauthenticated but not connected\b/i;
const REFUSED = /\b(?:AUTHENTICATE|LOGIN) failed\b|\b(?:Logon|Authentication) failure\b/i;

/**
 * Whether Microsoft Graph, which needs neither IMAP nor POP3, may be the remedy for a mailbox that could not be
 * opened; undefined: it is not. For mailboxes of Exchange Online only. Pure.
 */
export function graphHintFor(
  { protocol }: Pick<Mailbox, 'protocol'>,
  { code, said = '' }: Pick<ConnectFailure, 'code' | 'said'>,
): GraphHint | undefined {
  if (protocol === 'graph') return undefined;
  if (CLOSED.test(said) || code === 'imap-no-access') return 'likely';
  const isRefused = code === 'imap-token-refused' || code === 'pop3-token-refused';
  return isRefused && (said === '' || REFUSED.test(said)) ? 'possible' : undefined;
}

/** The offer, in a sentence for a person. Pure. */
export function graphOffer(
  { protocol, address }: Pick<Mailbox, 'protocol' | 'address'>,
  hint: GraphHint,
): string {
  const name = protocol.toUpperCase();
  const perhaps = hint === 'likely' ? 'is probably' : 'may be';
  return `${name} ${perhaps} switched off for ${address}. Microsoft Graph reads the mailbox without it.`;
}

/** Exchange refuses SMTP AUTH as such, whatever the token (535 5.7.139). */
const SMTP_AUTH_OFF: ReadonlySet<string> = new Set([
  'smtp-auth-disabled-tenant',
  'smtp-auth-disabled-mailbox',
  'smtp-security-defaults',
]);

/** The offer to send over Microsoft Graph, in a sentence for a person; undefined: it would not help. Pure. */
export const graphSendingOffer = (
  { address, sending }: Pick<Mailbox, 'address' | 'sending'>,
  code: Code | undefined,
): string | undefined =>
  sending !== undefined && sending.protocol !== 'graph-send' && code !== undefined && SMTP_AUTH_OFF.has(code)
    ? `SMTP AUTH is switched off for ${address}. Microsoft Graph sends without it, and the emails that wait leave by themselves.`
    : undefined;
