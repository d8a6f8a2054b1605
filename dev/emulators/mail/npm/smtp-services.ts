import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { destinationOf, domainsOf, withoutTag } from '../mail-world.ts';
import type { TokenCheck } from './access-token.ts';
import { bounce } from './bounce.ts';

export interface SmtpWorld {
  readonly tls: { readonly cert: string; readonly key: string };
  readonly check: TokenCheck;
  /** Addresses of the demo mailboxes, in small letters. */
  readonly mailboxes: ReadonlySet<string>;
  /** See `MailServerOptions`. */
  readonly catchAll?: string | undefined;
  /** Stores the mail; it is safe when this returns. */
  deliver(mailbox: string, raw: Buffer): void;
  now(): number;
}

export interface SmtpService {
  readonly port: number;
  stop(): Promise<void>;
}

/** 100 MB and room for base64. */
const largestMail = 150 * 1024 * 1024;

const common: SMTPServerOptions = {
  name: 'mail.contoso.example',
  banner: 'mail server emulator',
  size: largestMail,
  disableReverseLookup: true,
  logger: false,
};

/**
 * Submission: STARTTLS, XOAUTH2, and each user sends only as themselves. Email to outside recipients
 * bounces.
 */
export function startSubmission(world: SmtpWorld, port: number): Promise<SmtpService> {
  return listen(
    new SMTPServer({
      ...common,
      ...world.tls,
      authMethods: ['XOAUTH2'],
      onAuth(auth, _session, callback) {
        const mailbox = auth.username?.toLowerCase() ?? '';
        world.check({ mailbox, accessToken: auth.accessToken ?? '' }, 'smtp').then(
          (allowed) => {
            if (allowed) callback(null, { user: mailbox });
            else callback(refusal(535, '5.7.3 Authentication unsuccessful'));
          },
          (error: unknown) =>
            callback(error instanceof Error ? error : new Error('Sign-in could not be checked')),
        );
      },
      onMailFrom({ address }, session, callback) {
        const user: unknown = session.user;
        if (typeof user === 'string' && address.toLowerCase() === user) callback();
        else
          callback(refusal(554, `5.2.252 SendAsDenied; ${String(user)} not allowed to send as ${address}`));
      },
      onRcptTo({ address }, _session, callback) {
        callback(isUnknownHere(world, address) ? unknownRecipient : null);
      },
      onData: receive(world),
    }),
    port,
  );
}

/** Accepts mail from any mail client on this machine, for the demo mailboxes only. */
export function startDrop(world: SmtpWorld, port: number): Promise<SmtpService> {
  return listen(
    new SMTPServer({
      ...common,
      authOptional: true,
      disabledCommands: ['AUTH', 'STARTTLS'],
      onRcptTo({ address }, _session, callback) {
        callback(world.mailboxes.has(withoutTag(address)) ? null : unknownRecipient);
      },
      onData: receive(world),
    }),
    port,
  );
}

function receive(world: SmtpWorld): NonNullable<SMTPServerOptions['onData']> {
  return (stream, session, callback) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', callback);
    stream.on('end', () => {
      if (stream.sizeExceeded) {
        callback(refusal(552, '5.3.4 Message size exceeds fixed maximum message size'));
        return;
      }
      const { mailFrom, rcptTo } = session.envelope;
      const sender = mailFrom === false ? '' : mailFrom.address;
      const raw = Buffer.concat([trace(sender, world.now()), ...chunks]);
      try {
        for (const { address } of rcptTo) handOver(world, sender, address, raw);
      } catch (error) {
        callback(error instanceof Error ? error : new Error('The mail could not be stored'));
        return;
      }
      callback(null, '2.0.0 OK');
    });
  };
}

function handOver(world: SmtpWorld, sender: string, recipient: string, raw: Buffer): void {
  const mailbox = destinationOf(recipient, world);
  if (mailbox !== undefined) {
    world.deliver(mailbox, raw);
    return;
  }
  // A bounce is never bounced (RFC 5321 §6.1): an empty sender gets nothing back.
  const back = withoutTag(sender);
  if (world.mailboxes.has(back)) world.deliver(back, bounce({ sender, recipient, raw, now: world.now() }));
}

function trace(sender: string, now: number): Buffer {
  const date = new Date(now).toUTCString().replace('GMT', '+0000');
  return Buffer.from(`Return-Path: <${sender}>\r\nReceived: by mail.contoso.example; ${date}\r\n`, 'latin1');
}

/** Our domains have our mailboxes and no others. */
function isUnknownHere({ mailboxes }: SmtpWorld, address: string): boolean {
  const mailbox = withoutTag(address);
  const [domain = ''] = domainsOf([mailbox]);
  return !mailboxes.has(mailbox) && domainsOf(mailboxes).has(domain);
}

const unknownRecipient = refusal(550, '5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found');

function refusal(responseCode: number, message: string): Error & { responseCode: number } {
  return Object.assign(new Error(message), { responseCode });
}

async function listen(server: SMTPServer, port: number): Promise<SmtpService> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
  // A client that disconnects or breaks TLS is not our error; without a listener it would end the process.
  server.removeAllListeners('error').on('error', () => {});
  const { port: chosen } = server.server.address() as AddressInfo;
  return { port: chosen, stop: () => new Promise((resolve) => server.close(() => resolve())) };
}
