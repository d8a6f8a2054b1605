import { importSPKI, jwtVerify } from 'jose';
import type { MailServerOptions } from '../mail-world.ts';

export type MailProtocol = 'imap' | 'pop3' | 'smtp';

/** Exchange Online's delegated scope and application role of each protocol. */
const permissions: Record<MailProtocol, { readonly scope: string; readonly role: string }> = {
  imap: { scope: 'IMAP.AccessAsUser.All', role: 'IMAP.AccessAsApp' },
  pop3: { scope: 'POP.AccessAsUser.All', role: 'POP.AccessAsApp' },
  smtp: { scope: 'SMTP.Send', role: 'SMTP.SendAsApp' },
};

const audiences = ['https://outlook.office.com', 'https://outlook.office365.com'];

/** Resolves with true when the token may open this mailbox over this protocol. Never says why not. */
export type TokenCheck = (sasl: Xoauth2, protocol: MailProtocol) => Promise<boolean>;

export interface Xoauth2 {
  /** The mailbox to open, in lower case. */
  readonly mailbox: string;
  readonly accessToken: string;
}

/**
 * Reads the SASL text `user=…^Aauth=Bearer …^A^A` in base64, as Exchange Online accepts it.
 * https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth
 */
export function readXoauth2(base64: string): Xoauth2 | undefined {
  const text = Buffer.from(base64, 'base64').toString('utf8');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ^A separates the fields of XOAUTH2.
  const fields = /^user=([^\x01]+)\x01auth=Bearer ([^\x01]+)\x01\x01$/.exec(text);
  const [, mailbox, accessToken] = fields ?? [];
  return mailbox && accessToken ? { mailbox: mailbox.toLowerCase(), accessToken } : undefined;
}

/**
 * Checks signature, issuer, audience, time, the protocol's scope or role, and access to the mailbox: the
 * user's own, or one that names the user as a delegate. An app's token opens the mailboxes that are open to
 * apps.
 */
export async function makeTokenCheck(options: MailServerOptions): Promise<TokenCheck> {
  const key = await importSPKI(options.signingKey.publicPem, 'RS256');
  const openTo = new Map(
    options.mailboxes.map(({ address, delegates = [] }) => [
      address.toLowerCase(),
      new Set([address, ...delegates].map((name) => name.toLowerCase())),
    ]),
  );
  const closedToApps = new Set(
    options.mailboxes
      .filter(({ openToApps }) => openToApps === false)
      .map(({ address }) => address.toLowerCase()),
  );
  return async ({ mailbox, accessToken }, protocol) => {
    const users = openTo.get(mailbox);
    if (users === undefined) return false;
    const claims = await verifiedClaims(accessToken, key, options);
    if (claims === undefined) return false;
    const { scope, role } = permissions[protocol];
    if (Array.isArray(claims['roles']) && claims['roles'].includes(role)) return !closedToApps.has(mailbox);
    const granted = typeof claims['scp'] === 'string' ? claims['scp'].split(' ') : [];
    const upn = typeof claims['upn'] === 'string' ? claims['upn'].toLowerCase() : '';
    return granted.includes(scope) && users.has(upn);
  };
}

type VerificationKey = Awaited<ReturnType<typeof importSPKI>>;

async function verifiedClaims(token: string, key: VerificationKey, options: MailServerOptions) {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, key, {
      algorithms: ['RS256'],
      issuer: options.issuer,
      audience: audiences,
      requiredClaims: ['exp'],
    });
    return protectedHeader.kid === options.signingKey.kid ? payload : undefined;
  } catch {
    // An invalid token is a result here, not an error: the client only learns that it is refused.
    return undefined;
  }
}
