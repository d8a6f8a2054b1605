import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type CutEvent, createAttachmentCutter } from '../../../shared/mime/attachment-cutter.ts';
import { parseMessage } from '../../../shared/mime/parse-message.ts';
import {
  defaultParseLimits,
  type ParsedMessage,
  type ParseOutcome,
} from '../../../shared/mime/parsed-message.ts';

const own = join(import.meta.dirname, '../../mail');
/** Freely licensed messages that are part of the project; tests/corpus/README.md names the source of each set. */
export const shippedCorpus = join(import.meta.dirname, '../../corpus');
/** The complete sets, of which the included ones are a part. Used if they exist beside the checkout, but not in the fast lane. */
export const fullCorpus = join(import.meta.dirname, '../../../../shared/mail');
export const isFullCorpus = existsSync(fullCorpus) && process.env['POSTROOM_FAST'] !== '1';
export const corpus = isFullCorpus ? fullCorpus : shippedCorpus;

/** An email of tests/mail. */
export function ownMail(name: string): Buffer {
  return readFileSync(join(own, name));
}

export function ownMailNames(): string[] {
  return readdirSync(own).filter((name) => name.endsWith('.eml'));
}

/** Paths below a folder of messages, sorted. */
export function corpusFiles(folder: string = corpus): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

export function corpusMail(path: string): Buffer {
  return readFileSync(join(corpus, path));
}

/** Parsed in this thread by mailparser, without a deadline. */
export function read(raw: Uint8Array, nonce?: string): Promise<ParseOutcome> {
  return parseMessage(raw, {
    parser: 'mailparser',
    limits: defaultParseLimits,
    ...(nonce === undefined ? {} : { nonce }),
  });
}

/** @throws when the result is no email. */
export async function readMail(raw: Uint8Array, nonce?: string): Promise<ParsedMessage> {
  return mailOf(await read(raw, nonce));
}

export function mailOf(outcome: ParseOutcome): ParsedMessage {
  if (outcome.kind !== 'mail')
    throw new Error(`${outcome.kind}: ${'reason' in outcome ? outcome.reason : ''}`);
  return outcome.mail;
}

export interface CutMail {
  kept: Buffer;
  parts: Buffer[];
}

/** Feeds the splitter chunks of that size; fails when its events contradict one another. */
export function cutMail(raw: Uint8Array, chunkSize: number, nonce: string): CutMail {
  const cutter = createAttachmentCutter(nonce);
  const events: CutEvent[] = [];
  for (let at = 0; at < raw.length; at += chunkSize)
    events.push(...cutter.push(raw.subarray(at, at + chunkSize)));
  events.push(...cutter.end());
  const kept: Uint8Array[] = [];
  const parts: Buffer[] = [];
  let open: Uint8Array[] | undefined;
  for (const event of events) {
    if (event.kind === 'keep') kept.push(event.bytes);
    else if (event.kind === 'begin') {
      if (open !== undefined || event.cut !== parts.length) throw new Error('begin out of turn');
      open = [];
    } else if (open === undefined) throw new Error(`${event.kind} without begin`);
    else if (event.kind === 'data') open.push(event.bytes);
    else {
      const part = Buffer.concat(open);
      if (part.length !== event.size) throw new Error('the size is not that of the data');
      parts.push(part);
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error('a cut part never ended');
  return { kept: Buffer.concat(kept), parts };
}
