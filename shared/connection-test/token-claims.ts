import type { MailProtocol } from '../mailboxes/mailbox-form.ts';
import { field } from '../platform/sdk-error.ts';
import type { Secret } from '../platform/secret.ts';

/** The claims of a token, for troubleshooting; no decision depends on them. */
export interface TokenClaims {
  audience: string;
  /** Delegated or application permissions. */
  permissions: readonly string[];
  /** The app's own token, without a person. */
  isApp: boolean;
}

/** Undefined for a token that is not a JWT: Microsoft also calls its tokens opaque. Pure. */
export function tokenClaims(token: Secret): TokenClaims | undefined {
  const [, payload, signature] = token.expose().split('.');
  if (payload === undefined || signature === undefined) return undefined;
  let claims: unknown;
  try {
    claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  const [aud, scp, roles] = ['aud', 'scp', 'roles'].map((name) => field(claims, name));
  const words = [
    ...(typeof scp === 'string' ? scp.split(' ') : []),
    ...(Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : []),
  ];
  const permissions = words.filter((word) => /^[A-Za-z][\w.]{0,79}$/.test(word)).slice(0, 20);
  return typeof aud !== 'string' || permissions.length === 0
    ? undefined
    : { audience: aud.slice(0, 100), permissions, isApp: typeof scp !== 'string' };
}

const needed: Readonly<Record<MailProtocol, RegExp>> = {
  imap: /^IMAP\./i,
  pop3: /^POP\./i,
  graph: /^Mail\.ReadWrite\b/i,
  smtp: /^SMTP\./i,
  'graph-send': /^Mail\.Send\b/i,
};
const names: Readonly<Record<MailProtocol, string>> = {
  imap: 'IMAP.AccessAsUser.All',
  pop3: 'POP.AccessAsUser.All',
  graph: 'Mail.ReadWrite',
  smtp: 'SMTP.Send',
  'graph-send': 'Mail.Send',
};
// https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth
const MAIL_AUDIENCE =
  /^https:\/\/(?:outlook\.office(?:365)?\.(?:com|us)|partner\.outlook\.cn|webmail\.apps\.mil)\/?$/i;

// Microsoft Graph, by its URLs and its app ID.
const GRAPH_AUDIENCE =
  /^https:\/\/[\w.]*graph\.(?:microsoft|windows)\.|^00000003-0000-0000-c000-000000000000$/i;

/**
 * Why Exchange Online may have refused this token, as far as its claims show; undefined when they look
 * right, and for tokens of other providers. Pure.
 * @param isShared the mailbox is not that of the token's owner
 */
export function tokenFault(
  facts: TokenClaims | undefined,
  protocol: MailProtocol,
  isShared = false,
): string | undefined {
  if (facts === undefined) return undefined;
  const isForGraph = GRAPH_AUDIENCE.test(facts.audience);
  const needsGraph = protocol === 'graph' || protocol === 'graph-send';
  if (isForGraph && !needsGraph)
    return 'The token is for Microsoft Graph, not for the mail servers: the provider’s first scope must be one of Exchange Online.';
  if (!isForGraph && needsGraph)
    return 'The token is for the mail servers, not for Microsoft Graph: the mailbox’s host is not that of Graph.';
  if (!isForGraph && !MAIL_AUDIENCE.test(facts.audience)) return undefined;
  const asksShared = needsGraph && isShared && !facts.isApp;
  const name = `${names[protocol]}${asksShared ? '.Shared' : ''}`;
  const isNeeded = (permission: string): boolean =>
    asksShared ? permission.toLowerCase() === name.toLowerCase() : needed[protocol].test(permission);
  return facts.permissions.some(isNeeded)
    ? undefined
    : `The token does not contain ${name}. Add that permission to the app registration, then sign in again.`;
}
