import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AddressObject, type ParsedMail, simpleParser } from 'mailparser';

/** An email that a customer of the demo received. */
export interface ReceivedMail {
  /** Its file's name. */
  file: string;
  from: string;
  /** The first recipient, who may answer. */
  to: { name: string; address: string };
  /** Address for answers. */
  replyTo: string;
  subject: string;
  text: string;
  attachments: readonly string[];
  messageId: string;
  references: readonly string[];
}

const MOST = 20;
const FILE = /^\d{1,15}-\w{1,200}\.eml$/;

/** The latest emails in a folder of `copyMail`, newest first. */
export async function readCustomerMail(folder: string): Promise<ReceivedMail[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => FILE.test(name));
  const latest = names.sort((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10)).slice(0, MOST);
  return Promise.all(
    latest.map(async (file) => receivedMail(file, await simpleParser(await readFile(join(folder, file))))),
  );
}

function receivedMail(file: string, mail: ParsedMail): ReceivedMail {
  const [to] = addressesOf(mail.to);
  const [from] = addressesOf(mail.from);
  const [replyTo] = addressesOf(mail.replyTo);
  const references = mail.references ?? [];
  return {
    file,
    from: from === undefined ? '' : `${from.name} ${from.address}`.trim(),
    to: to ?? { name: '', address: '' },
    replyTo: replyTo?.address ?? from?.address ?? '',
    subject: mail.subject ?? '',
    text: mail.text ?? '',
    attachments: mail.attachments.map(({ filename }) => filename ?? 'unnamed'),
    messageId: mail.messageId ?? '',
    references: typeof references === 'string' ? [references] : references,
  };
}

function addressesOf(
  field: AddressObject | AddressObject[] | undefined,
): { name: string; address: string }[] {
  const objects = field === undefined ? [] : Array.isArray(field) ? field : [field];
  return objects.flatMap(({ value }) =>
    value.flatMap(({ name, address }) => (address === undefined ? [] : [{ name, address }])),
  );
}
