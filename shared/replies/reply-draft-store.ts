import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Blobs } from '../platform/blobs.ts';
import { mapLimited } from '../platform/concurrency.ts';
import { openRecords } from '../platform/open-records.ts';
import { type ColumnGroup, flag, json, objectOf, recordKind, text, time } from '../platform/records.ts';
import type { Tables } from '../platform/tables.ts';
import type { ReplyAttachment } from './reply-attachments.ts';
import { DRAFT_DAYS, draftLimits, type ReplyDraft } from './reply-draft.ts';

// Table Tickets: `draft` / `<ticket ID>|<hash of the person's ID>`   a draft. No ticket has the ID `draft`.
// Blobs: `draft/<ticket ID>/<hash of the person's ID>/<UUID>`         an attachment of a draft
// The outbox sends attachments from these blobs, so they stay after a draft was sent.

const DRAFTS = 'draft';
const hashOf = (personId: string): string => createHash('sha256').update(personId).digest('hex').slice(0, 32);
const rowKeyOf = (ticketId: string, personId: string): string => `${ticketId}|${hashOf(personId)}`;

/**
 * A binary column takes 64 KiB, and the longest text has three bytes a character. Text columns would need an ASCII
 * body: Azurite breaks a character at the edge of each 64 KiB of a request.
 */
const CHUNK_BYTES = 60_000;
const CHUNKS = Math.ceil((draftLimits.text * 3) / CHUNK_BYTES);
const longText: ColumnGroup<string> = {
  readAll: (row) =>
    Buffer.concat(
      chunkNames.map((name) => {
        const chunk = row[name];
        if (chunk !== undefined && !(chunk instanceof Uint8Array)) throw new TypeError('not bytes');
        return chunk ?? new Uint8Array();
      }),
    ).toString('utf8'),
  writeAll: (value) => {
    const bytes = Buffer.from(value);
    return Object.fromEntries(
      chunkNames.map((name, index) => {
        const chunk = bytes.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
        return [name, chunk.byteLength === 0 ? undefined : chunk];
      }),
    );
  },
};
const chunkNames = Array.from({ length: CHUNKS }, (_, index) => `text${index}`);

const attachment = objectOf<ReplyAttachment>({
  id: z.string(),
  filename: z.string(),
  contentType: z.string(),
  size: z.number(),
  blob: z.string(),
});

const draftKind = recordKind<ReplyDraft>()({
  table: 'Tickets',
  version: 1,
  keysOf: ({ ticketId, personId }) => ({ partitionKey: DRAFTS, rowKey: rowKeyOf(ticketId, personId) }),
  fromKeys: ({ rowKey }) => ({ ticketId: rowKey.slice(0, rowKey.lastIndexOf('|')) }),
  columns: {
    personId: text,
    personName: text,
    to: text,
    cc: text,
    bcc: text,
    text: longText,
    quotes: flag,
    attachments: json(z.array(attachment)),
    seen: text,
    savedAt: time,
  },
});

export interface StoredReplyDraft {
  draft: ReplyDraft;
  /** Pass to `save`, so that two windows of one person do not overwrite each other unseen. */
  etag: string;
}

export type SavedReplyDraft =
  | { kind: 'saved' }
  /** Another window saved since; its draft is kept, and both are shown. */
  | { kind: 'changed'; current: StoredReplyDraft | undefined };

export interface ReplyDraftStore {
  get(ticketId: string, personId: string): Promise<StoredReplyDraft | undefined>;
  /** All drafts of a ticket: who else is writing. */
  ofTicket(ticketId: string): Promise<ReplyDraft[]>;
  /**
   * @param draft checked by `draftProblem`
   * @param etag of the draft that was changed; undefined for a new one
   */
  save(draft: ReplyDraft, etag: string | undefined): Promise<SavedReplyDraft>;
  /** Stores the bytes of an attachment; the caller adds it to the draft. */
  attach(
    draft: Pick<ReplyDraft, 'ticketId' | 'personId'>,
    file: Omit<ReplyAttachment, 'id' | 'blob'>,
    bytes: Uint8Array | AsyncIterable<Uint8Array>,
  ): Promise<ReplyAttachment>;
  /** Deletes the bytes of attachments that the caller took out of the draft. */
  detach(attachments: readonly ReplyAttachment[]): Promise<void>;
  /** After the reply is in the outbox: the draft goes, its attachments stay. */
  sent(ticketId: string, personId: string): Promise<void>;
  /** Deletes a draft with its attachments. */
  discard(ticketId: string, personId: string): Promise<void>;
  /**
   * Deletes what nobody touched for 30 days, with its attachments, unless an email of its ticket has them too: a reply
   * that was copied into a draft, to be sent again, shares its attachments with it.
   * @param now milliseconds since the epoch
   * @param sentBlobs the blobs of all emails of a ticket
   * @returns how many
   */
  purge(now: number, sentBlobs: (ticketId: string) => Promise<ReadonlySet<string>>): Promise<number>;
}

const DELETES = 8;
const DAY_MS = 86_400_000;

/** Every method throws PostroomError when storage is unavailable. */
export function createReplyDraftStore({ tables, blobs }: { tables: Tables; blobs: Blobs }): ReplyDraftStore {
  const drafts = openRecords(tables, draftKind);
  const get: ReplyDraftStore['get'] = async (ticketId, personId) => {
    const found = await drafts.get(DRAFTS, rowKeyOf(ticketId, personId));
    return found === undefined ? undefined : { draft: found.record, etag: found.etag };
  };
  const detach: ReplyDraftStore['detach'] = async (attachments) => {
    await mapLimited(attachments, DELETES, ({ blob }) => blobs.remove(blob));
  };
  /** The row first: a draft never names an attachment that is gone. */
  const removeUnchanged = async (
    { draft, etag }: StoredReplyDraft,
    sentBlobs: (ticketId: string) => Promise<ReadonlySet<string>> = async () => new Set(),
  ): Promise<boolean> => {
    if (!(await drafts.remove(DRAFTS, rowKeyOf(draft.ticketId, draft.personId), etag))) return false;
    const sent = draft.attachments.length === 0 ? new Set() : await sentBlobs(draft.ticketId);
    await detach(draft.attachments.filter(({ blob }) => !sent.has(blob)));
    return true;
  };
  return {
    get,
    detach,
    ofTicket: (ticketId) => drafts.list(DRAFTS, { prefix: `${ticketId}|` }),
    async save(draft, etag) {
      const isSaved = etag === undefined ? await drafts.insert(draft) : await drafts.replace(draft, etag);
      return isSaved
        ? { kind: 'saved' }
        : { kind: 'changed', current: await get(draft.ticketId, draft.personId) };
    },
    async attach({ ticketId, personId }, file, bytes) {
      const id = randomUUID();
      const blob = `draft/${ticketId}/${hashOf(personId)}/${id}`;
      await blobs.putOnce(blob, bytes);
      return { ...file, id, blob };
    },
    async sent(ticketId, personId) {
      await drafts.remove(DRAFTS, rowKeyOf(ticketId, personId));
    },
    async discard(ticketId, personId) {
      const found = await get(ticketId, personId);
      if (found !== undefined) await removeUnchanged(found);
    },
    async purge(now, sentBlobs) {
      const oldest = new Date(now - DRAFT_DAYS * DAY_MS).toISOString();
      const stale = (await drafts.list(DRAFTS)).filter(({ savedAt }) => savedAt < oldest);
      const purged = await mapLimited(stale, DELETES, async ({ ticketId, personId }) => {
        const found = await get(ticketId, personId);
        // Its person may have come back to it meanwhile.
        return (
          found !== undefined && found.draft.savedAt < oldest && (await removeUnchanged(found, sentBlobs))
        );
      });
      return purged.filter(Boolean).length;
    },
  };
}
