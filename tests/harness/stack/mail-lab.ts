import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose';
import { makeCertificates } from '../../../dev/emulators/certificates.ts';
import type { MailServerKind, MailServerOptions } from '../../../dev/emulators/mail/mail-world.ts';

export const tenant = '11111111-2222-4333-8444-555555555555';
export const issuer = `https://sts.windows.net/${tenant}/`;
export const support = 'support@contoso.example';
export const sales = 'sales@contoso.example';
/** A shared mailbox: it has no sign-in of its own; support and sam may open it. */
export const info = 'info@contoso.example';
export const sam = 'sam@contoso.example';

const everything = 'IMAP.AccessAsUser.All POP.AccessAsUser.All SMTP.Send';

export interface TokenWishes {
  readonly scp?: string;
  /** Of an app's own token. */
  readonly roles?: readonly string[];
  readonly iss?: string;
  /** Seconds from now; negative: expired. */
  readonly lifetime?: number;
  readonly key?: CryptoKey;
  /** Length of the padding claim. */
  readonly padding?: number;
  readonly audience?: string;
  /** Client id of the app. */
  readonly appId?: string;
}

export interface MailLab {
  readonly stateDir: string;
  readonly options: MailServerOptions;
  readonly ca: string;
  /** The public half of the key that signs tokens. */
  readonly jwks: { readonly keys: JWK[] };
  token(upn: string, wishes?: TokenWishes): Promise<string>;
  /** As npm's XOAUTH2 clients send it, in base64. */
  xoauth2(user: string, token: string): string;
  remove(): void;
}

const mailboxes = [
  { address: support },
  { address: sales },
  { address: sam, openToApps: false },
  { address: info, delegates: [support, sam] },
];

/** A state folder, a certificate and a signing key for one mail server. */
export async function makeMailLab(kind: MailServerKind): Promise<MailLab> {
  const stateDir = mkdtempSync(path.join(tmpdir(), 'postroom-mail-test-'));
  const tls = await makeCertificates();
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const signingKey = { kid: 'demo-key-1', publicPem: await exportSPKI(publicKey) };
  return {
    stateDir,
    options: { kind, stateDir, tls, issuer, signingKey, mailboxes },
    ca: tls.ca,
    jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: signingKey.kid, alg: 'RS256', use: 'sig' }] },
    token(upn, wishes = {}) {
      const { scp = everything, iss = issuer, lifetime = 3600, key = privateKey, padding = 1500 } = wishes;
      const { roles, audience = 'https://outlook.office.com', appId = 'demo-app' } = wishes;
      const now = Math.floor(Date.now() / 1000);
      const claims = {
        ...(roles === undefined
          ? { idtyp: 'user', oid: `object of ${upn}`, upn, scp }
          : { idtyp: 'app', oid: 'an enterprise application', roles }),
        appid: appId,
        tid: tenant,
        delegate: '-',
        xms_padding: 'p'.repeat(padding),
      };
      return new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: signingKey.kid })
        .setSubject(`subject of ${upn}`)
        .setIssuer(iss)
        .setAudience(audience)
        .setIssuedAt(now - 60)
        .setNotBefore(now - 7200)
        .setExpirationTime(now + lifetime)
        .sign(key);
    },
    xoauth2: (user, token) => Buffer.from(`user=${user}\x01auth=Bearer ${token}\x01\x01`).toString('base64'),
    remove: () => rmSync(stateDir, { recursive: true, force: true }),
  };
}

/** A plain-text email with CRLF. */
export function plainMail(options: { from?: string; to?: string; subject: string; text?: string }): Buffer {
  const { from = 'Kim Miller <kim@customer.example>', to = support, subject, text = 'Hello' } = options;
  const id = subject.replace(/\W+/g, '-').toLowerCase();
  const head = [
    `From: ${from}`,
    `To: ${to}`,
    `Subject: ${subject}`,
    `Message-ID: <${id}@customer.example>`,
    'Date: Mon, 23 Nov 2026 09:15:00 +0100',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${text}\r\n`);
}
