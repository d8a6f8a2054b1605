import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import { redact } from '../explanations/redact.ts';
import { PostroomError } from '../platform/errors.ts';
import { field } from '../platform/sdk-error.ts';
import type { Seam } from '../platform/seam.ts';
import type { Secret } from '../platform/secret.ts';
import { guardedConnect } from '../providers/guarded-connect.ts';
import { composeMime } from './compose-mime.ts';
import { type OutgoingMail, recipientsOf, wireAddress } from './outgoing-mail.ts';

const CONNECT_MS = 20_000;
const SILENCE_MS = 60_000;
const GOODBYE_MS = 2_000;

export interface SmtpServer {
  host: string;
  port: number;
  /** TLS from the first byte; otherwise STARTTLS, which is then required. */
  implicitTls: boolean;
  /**
   * Continues without TLS if the server offers none; only on a developer's machine, and never with a
   * sign-in.
   */
  plainAllowed?: boolean | undefined;
}

export type SmtpSignIn =
  /** `user` is the sending mailbox: for a shared mailbox, not the token's owner. */
  { kind: 'token'; user: string; accessToken: Secret } | { kind: 'password'; user: string; password: Secret };

/** The server's response to a step. */
export type SmtpAnswer =
  | { kind: 'accepted'; line: string; refusedRecipients: readonly RefusedRecipient[] }
  | { kind: 'refused'; line: string };

export interface RefusedRecipient {
  address: string;
  line: string;
}

export interface SmtpSession {
  signIn(signIn: SmtpSignIn): Promise<SmtpAnswer>;
  send(mail: OutgoingMail): Promise<SmtpAnswer>;
  close(): void;
}

/**
 * Connects to an SMTP server over TLS and greets it. The socket itself resolves names and refuses private
 * addresses unless `local`.
 * @throws PostroomError `smtp-unreachable`, `smtp-tls`, `endpoint-refused`, `endpoint-private`: nothing was
 * sent. `send` also throws `smtp-answer-lost`: the email may have been sent.
 */
export async function openSmtpSession(
  server: SmtpServer,
  { seam, local }: { seam: Seam; local: boolean },
): Promise<SmtpSession> {
  const { default: Connection } = await import('nodemailer/lib/smtp-connection');
  return seam.call('smtp.connect', async () => {
    const socket = await reach(server, local);
    const connection = new Connection({
      connection: socket,
      host: server.host,
      port: server.port,
      secure: server.implicitTls,
      requireTLS: !server.implicitTls && server.plainAllowed !== true,
      connectionTimeout: CONNECT_MS,
      greetingTimeout: CONNECT_MS,
      socketTimeout: SILENCE_MS,
      tls: { minVersion: 'TLSv1.2' },
      customAuth: { XOAUTH2: saslXoauth2 },
    });
    const session = new NodemailerSession(connection, seam, server);
    try {
      await session.greet();
      return session;
    } catch (error) {
      session.close();
      throw error;
    }
  });
}

async function reach(server: SmtpServer, local: boolean): Promise<Socket> {
  try {
    return await guardedConnect(server, { local }, CONNECT_MS);
  } catch (error) {
    throw worldError(error, server.host, false);
  }
}

class NodemailerSession implements SmtpSession {
  readonly #connection: SMTPConnection;
  readonly #seam: Seam;
  readonly #host: string;
  /** Rejects when the connection breaks, at any step. */
  readonly #broken: Promise<never>;
  #handedOver = false;

  constructor(connection: SMTPConnection, seam: Seam, { host }: SmtpServer) {
    this.#connection = connection;
    this.#seam = seam;
    this.#host = host;
    this.#broken = new Promise<never>((_resolve, reject) => {
      connection.on('error', reject);
      connection.once('end', () => reject(new Error('The connection ended')));
    });
    this.#broken.catch(() => {});
  }

  async greet(): Promise<void> {
    const answer = await this.#step((done) => this.#connection.connect((error) => done(error ?? null)));
    // The server refused the greeting or EHLO: it accepts no session now.
    if (answer.kind === 'refused')
      throw new PostroomError('smtp-unreachable', `${this.#host} said: ${redact(answer.line).slice(0, 200)}`);
  }

  signIn(signIn: SmtpSignIn): Promise<SmtpAnswer> {
    const auth =
      signIn.kind === 'token'
        ? { method: 'XOAUTH2', user: signIn.user, pass: signIn.accessToken.expose() }
        : { user: signIn.user, pass: signIn.password.expose() };
    return this.#seam.call('smtp.sign-in', () =>
      this.#step((done) => this.#connection.login(auth, (error) => done(error ?? null))),
    );
  }

  async send(mail: OutgoingMail): Promise<SmtpAnswer> {
    const raw = await composeMime(mail);
    // Only read once the server has accepted DATA: until then nothing has been sent.
    const source = new Readable({
      read: () => {
        this.#handedOver = true;
        source.push(raw);
        source.push(null);
      },
    });
    return this.#seam.call('smtp.send', () =>
      this.#step((done) =>
        this.#connection.send(
          {
            from: wireAddress(mail.from.address),
            to: recipientsOf(mail).map(wireAddress),
            size: raw.byteLength,
          },
          source,
          done,
        ),
      ),
    );
  }

  close(): void {
    this.#connection.quit();
    setTimeout(() => this.#connection.close(), GOODBYE_MS).unref();
  }

  async #step(
    run: (done: (error: Error | null, info?: SMTPConnection.SentMessageInfo) => void) => void,
  ): Promise<SmtpAnswer> {
    try {
      const info = await Promise.race([
        this.#broken,
        new Promise<SMTPConnection.SentMessageInfo | undefined>((resolve, reject) =>
          run((error, sent) => (error === null ? resolve(sent) : reject(error))),
        ),
      ]);
      const line = info?.response ?? lineOf(this.#connection.lastServerResponse);
      return { kind: 'accepted', line, refusedRecipients: (info?.rejectedErrors ?? []).map(recipientOf) };
    } catch (error) {
      const line = lineOf(field(error, 'response'));
      if (field(error, 'code') !== 'ETLS' && /^[45]\d\d/.test(line)) return { kind: 'refused', line };
      throw worldError(error, this.#host, this.#handedOver);
    }
  }
}

const lineOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function recipientOf(error: SMTPConnection.SMTPError): RefusedRecipient {
  const address = field(error, 'recipient');
  return { address: lineOf(address), line: lineOf(error.response) };
}

/**
 * `AUTH XOAUTH2` with an initial response. A server that first explains a refusal (334) expects an empty
 * line before 535. https://developers.google.com/workspace/gmail/imap/xoauth2-protocol
 */
async function saslXoauth2(context: SMTPConnection.CustomAuthenticationContext): Promise<void> {
  const { user, pass } = context.auth.credentials;
  const sasl = Buffer.from(`user=${user}\x01auth=Bearer ${pass}\x01\x01`).toString('base64');
  let answer = await context.sendCommand(`AUTH XOAUTH2 ${sasl}`);
  if (answer.status === 334) answer = await context.sendCommand('');
  if (answer.status !== 235) throw new Error('The server refused the token');
}

const TLS_FAULT = /^(?:ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH)/;

function worldError(error: unknown, host: string, handedOver: boolean): PostroomError {
  if (error instanceof PostroomError) return error;
  const cause = { cause: error };
  if (handedOver)
    return new PostroomError('smtp-answer-lost', `${host} took the mail and did not say that it did.`, cause);
  const code = lineOf(field(error, 'originalCode')) || lineOf(field(error, 'code'));
  return code === 'ETLS' || TLS_FAULT.test(code)
    ? new PostroomError('smtp-tls', `No encrypted connection to ${host} could be made (${code}).`, cause)
    : new PostroomError('smtp-unreachable', `${host} does not answer (${code || 'no reason given'}).`, cause);
}
