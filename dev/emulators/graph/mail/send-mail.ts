import { randomUUID } from 'node:crypto';
import MailComposer from 'nodemailer/lib/mail-composer/index.js';
import PostalMime, { type Address } from 'postal-mime';
import { bounce } from '../../mail/npm/bounce.ts';
import { GraphError } from '../graph-error.ts';
import { type MailCaller, mayUse } from './access.ts';
import { SENT_ITEMS } from './folders.ts';
import {
  badMailRequest,
  jsonOf,
  type MailCall,
  type MailReply,
  type MailUser,
  type MailWorld,
  type OpenMailbox,
  wrongMailMethod,
} from './mail-call.ts';
import type { Recipient } from './message-facts.ts';

/** Microsoft: "Use the Microsoft Graph API", a request holds up to 4 MB. */
const LARGEST_REQUEST = 4 * 1024 * 1024;
const MOST_HEADERS = 5;

/** Headers that Exchange sets itself or that concern only the way to it. */
const REPLACED = /^(?:from|date|bcc|return-path|received|x-[\w-]*)$/i;

/**
 * `sendMail`, with MIME in base64 (`text/plain`) or a message as JSON (Microsoft: "user: sendMail"). 202
 * means accepted: an address that does not exist is told by a bounce.
 * @throws GraphError 403 ErrorSendAsDenied, 413, 400 for what is no message or has no recipient
 */
export async function sendMail(mailbox: OpenMailbox, call: MailCall): Promise<MailReply> {
  if (call.method !== 'POST') throw wrongMailMethod();
  if (isMime(call)) return dispatch(mailbox, call.caller, mimeOf(call));
  refuseTooLarge(call);
  const { raw, isSaved } = await composed(call);
  // Only a message as JSON may have headers of its own.
  return dispatch(mailbox, call.caller, raw, { isSaved, keepsX: true });
}

/** Sends an email to its recipients, and saves a copy in Sent Items. */
export async function dispatch(
  mailbox: OpenMailbox,
  caller: MailCaller,
  raw: Buffer,
  { isSaved = true, keepsX = false } = {},
): Promise<MailReply> {
  const email = await PostalMime.parse(raw);
  const sender = senderOf(mailbox, caller, email.from?.address);
  const recipients = addressesOf([...(email.to ?? []), ...(email.cc ?? []), ...(email.bcc ?? [])]);
  if (recipients.length === 0)
    throw new GraphError(
      400,
      'ErrorInvalidRecipients',
      "At least one recipient isn't valid., A message can't be sent because it contains no recipients.",
    );
  const { world, files } = mailbox;
  const sent = asExchangeSends(raw, sender, world.now(), keepsX);
  await deliver(world, sender.upn, recipients, sent);
  if (isSaved) await files.add(SENT_ITEMS, sent, { receivedAt: world.now(), isSeen: true });
  return { status: 202 };
}

export const isMime = ({ headers }: MailCall): boolean =>
  (headers['content-type'] ?? '').startsWith('text/plain');

export const tooLarge = (): GraphError =>
  new GraphError(413, 'ErrorMessageSizeExceeded', 'The message exceeds the maximum supported size.');

/** @throws GraphError 413 for more than a request may hold */
function refuseTooLarge({ body }: MailCall): void {
  if (body.length > LARGEST_REQUEST) throw tooLarge();
}

/**
 * The MIME of a request's body.
 * @throws GraphError 413, and 400 for what is no base64
 */
export function mimeOf(call: MailCall): Buffer {
  refuseTooLarge(call);
  const text = call.body.toString('latin1').replace(/\s+/g, '');
  if (text === '' || !/^[A-Za-z0-9+/]+={0,2}$/.test(text))
    throw new GraphError(
      400,
      'ErrorMimeContentInvalidBase64String',
      'Invalid base64 string for MIME content.',
    );
  return Buffer.from(text, 'base64');
}

interface JsonMessage {
  subject?: string;
  body?: { contentType?: string; content?: string };
  from?: Recipient;
  toRecipients?: Recipient[];
  ccRecipients?: Recipient[];
  bccRecipients?: Recipient[];
  replyTo?: Recipient[];
  internetMessageHeaders?: { name: string; value: string }[];
}

async function composed(call: MailCall): Promise<{ raw: Buffer; isSaved: boolean }> {
  const input = jsonOf(call);
  // A client of the emulator is our own program: the fields it sends have the documented types.
  const message = input['message'] as JsonMessage | undefined;
  if (message === undefined) throw badMailRequest("The parameter 'Message' is missing.");
  const headers = message.internetMessageHeaders ?? [];
  const wrong = headers.find(({ name }) => !/^x-/i.test(name));
  if (wrong !== undefined)
    throw new GraphError(
      400,
      'InvalidInternetMessageHeader',
      `The internet message header name '${wrong.name}' should start with 'x-' or 'X-'.`,
    );
  if (headers.length > MOST_HEADERS)
    throw new GraphError(
      400,
      'InvalidInternetMessageHeaderCollection',
      `Maximum number of headers in one message should be less than or equal to ${MOST_HEADERS}.`,
    );
  const { content = '', contentType } = message.body ?? {};
  const composer = new MailComposer({
    ...(message.from !== undefined && { from: message.from.emailAddress }),
    to: (message.toRecipients ?? []).map(({ emailAddress }) => emailAddress),
    cc: (message.ccRecipients ?? []).map(({ emailAddress }) => emailAddress),
    bcc: (message.bccRecipients ?? []).map(({ emailAddress }) => emailAddress),
    replyTo: (message.replyTo ?? []).map(({ emailAddress }) => emailAddress),
    subject: message.subject ?? '',
    ...(contentType?.toLowerCase() === 'html' ? { html: content } : { text: content }),
    headers: headers.map(({ name, value }) => ({ key: name, value })),
  });
  const node = composer.compile();
  node.keepBcc = true;
  return { raw: await node.build(), isSaved: input['saveToSentItems'] !== false };
}

/** Who the email is from: the mailbox itself, or one that the caller may send as. */
function senderOf({ world, user }: OpenMailbox, caller: MailCaller, from: string | undefined): MailUser {
  const address = (from ?? user.upn).toLowerCase();
  const sender = world.users.find(({ upn }) => upn === address);
  if (sender !== undefined && (sender === user || mayUse(world, caller, sender, 'send'))) return sender;
  throw new GraphError(
    403,
    'ErrorSendAsDenied',
    'The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account., Cannot submit message.',
  );
}

/**
 * The email as it leaves Exchange: Message-ID, In-Reply-To and References stay; Date and the sender's name are
 * Exchange's own; headers that begin with `X-` are dropped from MIME (observed by others, not documented).
 */
function asExchangeSends(raw: Buffer, sender: MailUser, now: Date, keepsX: boolean): Buffer {
  const text = raw.toString('latin1').replace(/\r?\n/g, '\r\n');
  const end = text.indexOf('\r\n\r\n');
  const [head, rest] = end < 0 ? [text, '\r\n\r\n'] : [text.slice(0, end), text.slice(end)];
  const fields = head.split(/\r\n(?![ \t])/).filter((field) => {
    const name = field.slice(0, Math.max(0, field.indexOf(':'))).trim();
    return (
      name !== '' && (!REPLACED.test(name) || (keepsX && /^x-/i.test(name) && !/^x-mailer$/i.test(name)))
    );
  });
  const hasId = fields.some((field) => /^message-id:/i.test(field));
  const own = [
    `From: "${sender.name.replace(/["\\\r\n]/g, '')}" <${sender.upn}>`,
    `Date: ${now.toUTCString().replace('GMT', '+0000')}`,
    ...(hasId ? [] : [`Message-ID: <${randomUUID()}@mail.contoso.example>`]),
  ];
  return Buffer.from(`${[...own, ...fields].join('\r\n')}${rest}`, 'latin1');
}

async function deliver(
  world: MailWorld,
  sender: string,
  recipients: readonly string[],
  raw: Buffer,
): Promise<void> {
  const server = world.server();
  for (const recipient of recipients) {
    const address = server.destinationOf(recipient);
    if (address !== undefined) await server.deliver(address, raw);
    else if (server.mailbox(sender) !== undefined)
      await server.deliver(sender, bounce({ sender, recipient, raw, now: world.now().getTime() }));
  }
}

const addressesOf = (addresses: readonly Address[]): string[] => [
  ...new Set(
    addresses
      .flatMap((one) => (one.group === undefined ? [one] : one.group))
      .map(({ address = '' }) => address.toLowerCase())
      .filter((address) => address.includes('@')),
  ),
];
