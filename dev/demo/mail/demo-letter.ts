import { mail, mailDate, type Part, word } from './mime-writer.ts';

export interface DemoMail {
  /** A file name without its extension. */
  readonly name: string;
  readonly raw: Uint8Array;
  /** When the mail server received it. */
  readonly receivedAt: Date;
}

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

/** The recipient of the emails, and the current time. */
export interface World {
  readonly to: string;
  before(milliseconds: number): Date;
}

/** The fields of every demo email; `ago` in milliseconds. */
export interface Letter {
  readonly from: string;
  readonly subject: string;
  readonly id: string;
  readonly ago: number;
  /** Hours east of Greenwich. */
  readonly zone: number;
  readonly more?: Readonly<Record<string, string>>;
}

/** A complete demo email. */
export function write({ to, before }: World, name: string, letter: Letter, body: Part): DemoMail {
  const headers = {
    From: letter.from,
    To: to,
    Subject: word(letter.subject),
    Date: mailDate(before(letter.ago), letter.zone),
    'Message-ID': `<${letter.id}>`,
    ...letter.more,
  };
  return { name, raw: mail(headers, body), receivedAt: before(letter.ago) };
}
