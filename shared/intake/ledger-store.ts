import { type MessageMeta, type MessageRef, sortedRefs } from '../mailboxes/message-ref.ts';
import { mapLimited } from '../platform/concurrency.ts';
import { PostroomError } from '../platform/errors.ts';
import type { Change, Row, Tables } from '../platform/tables.ts';
import {
  type Decision,
  type LedgerMail,
  type LedgerPlace,
  placeOf,
  placesOfRef,
  type RefScope,
  refOfPlace,
} from './ledger.ts';
import { mailKind, mailRowKey } from './ledger-records.ts';
import { type Claim, type ClaimOptions, type Found, planClaim } from './plan-claim.ts';
import { type Known, readEmails, readKnown, readPlaces } from './read-ledger.ts';

export interface LedgerStore {
  /**
   * Looks up the ledger's places for these messages, by ref; one request if few other places lie between them,
   * as with the UIDs of new email. Refs that are hashes are scattered among all places: these are read one by
   * one, many at once, when that takes about as many requests.
   */
  lookUp(
    mailboxId: string,
    scope: RefScope,
    metas: readonly MessageMeta[],
  ): Promise<Map<MessageRef, LedgerPlace>>;
  /** An email whose row cannot be read is omitted and reported. */
  emails(mailboxId: string, keys: readonly string[]): Promise<Map<string, LedgerMail>>;
  /** Records in one transaction that work on these emails (at most 50) starts. */
  claim(mailboxId: string, found: readonly Found[], options: ClaimOptions): Promise<Claim>;
  /**
   * Stores decisions in one transaction. An existing decision of another run is final and is returned; then
   * none of the others is stored, and they come back as `received`, to be decided again with it in mind.
   */
  decide(
    mailboxId: string,
    decided: readonly { mail: LedgerMail; decision: Decision }[],
  ): Promise<LedgerMail[]>;
  /**
   * Lets a person have an unimported email decided again: its state is reset as if it had just been received.
   * An email that is in a ticket is not changed.
   */
  reopen(mailboxId: string, mail: LedgerMail): Promise<LedgerMail>;
  /** Replaces a decision that cannot be applied. */
  forceQuarantine(mailboxId: string, mail: LedgerMail, decision: Decision): Promise<void>;
  /** Records in one transaction that everything is stored. */
  complete(mailboxId: string, emails: readonly LedgerMail[]): Promise<void>;
  /** Reverts an attempt: an outage ended the run, not the email. */
  release(mailboxId: string, emails: readonly LedgerMail[]): Promise<void>;
}

const TRIES = 20;
/** Rows in a page of a table's listing. */
const PLACES_A_PAGE = 1000;
/** With fewer wanted places in a page than this, single reads are faster, and hardly more requests. */
const WANTED_A_PAGE = 8;
const POINT_READS = 16;

/**
 * The ledger on the table of that name. Every method throws PostroomError if storage is unavailable, and
 * `ledger-busy` if concurrent writes keep winning. An unreadable row stops no fetch: its place counts as new,
 * and a claimed email starts over in its row. Its ticket and messages have keys derived from the email, so
 * that starting over finds existing rows.
 */
export function createLedgerStore(tables: Tables): LedgerStore {
  const ledger = tables.open('Ledger');
  const emails: LedgerStore['emails'] = async (mailboxId, keys) =>
    (await readEmails(tables, mailboxId, keys)).emails;

  return {
    emails,
    async lookUp(mailboxId, scope, metas) {
      const refs = sortedRefs(metas.map(({ ref }) => ref));
      const [first, last] = [refs[0], refs.at(-1)];
      if (first === undefined || last === undefined) return new Map();
      const wanted = new Map(metas.map((each) => [placeOf(scope, each), each.ref]));
      const from = placesOfRef(scope, first);
      const to = `${placesOfRef(scope, last)}~`;
      const known: Row[] = [];
      let rest = [...wanted.keys()].sort();
      let after: string | undefined;
      for (;;) {
        const rows = await ledger.list(mailboxId, after === undefined ? { from, to } : { from, to, after });
        known.push(...rows.filter(({ rowKey }) => wanted.has(rowKey)));
        const last = rows.at(-1)?.rowKey;
        if (rows.length < PLACES_A_PAGE || last === undefined) break;
        after = last;
        const before = rest.length;
        rest = rest.filter((place) => place > last);
        if (before - rest.length >= WANTED_A_PAGE) continue;
        const found = await mapLimited(rest, POINT_READS, (place) => ledger.get(mailboxId, place));
        known.push(...found.flatMap((row) => row ?? []));
        break;
      }
      const places = readPlaces(tables, mailboxId, known);
      return new Map(places.map((each) => [wanted.get(each.place) ?? refOfPlace(each.place), each]));
    },
    async claim(mailboxId, found, options) {
      // Optimistic: if all emails are new, the usual case, this costs one request.
      let known: Known = { emails: new Map(), unreadable: new Map(), places: new Set() };
      if (options.alone) known = await readKnown(tables, mailboxId, found);
      for (let attempt = 0; attempt < TRIES; attempt += 1) {
        const { claim, changes } = planClaim(mailboxId, found, known, options);
        const written = await ledger.commit(mailboxId, changes);
        if (written.ok) {
          const etags = new Map(changes.map(({ row }, index) => [row.rowKey, written.etags[index]]));
          return {
            ...claim,
            mine: claim.mine.map((mail) => ({ ...mail, etag: etags.get(mailRowKey(mail.key)) })),
          };
        }
        known = await readKnown(tables, mailboxId, found);
      }
      throw busy(mailboxId);
    },
    async decide(mailboxId, decided) {
      const decisions = new Map(decided.map(({ mail, decision }) => [mail.key, decision]));
      return replaceAll(
        tables,
        mailboxId,
        decided.map(({ mail }) => mail),
        (mail) => {
          const decision = decisions.get(mail.key);
          if (mail.state !== 'received' || decision === undefined) return undefined;
          return { ...mail, state: 'decided', decision };
        },
        // Decisions of a batch depend on each other: none is stored if another run has made one of them.
        (now) => now.some(({ state }) => state !== 'received'),
      );
    },
    async reopen(mailboxId, mail) {
      const [reopened = mail] = await replaceAll(tables, mailboxId, [mail], (now) =>
        now.state === 'done' && now.decision?.disposition !== 'ticket'
          ? { ...now, state: 'received', attempts: 1, decision: undefined }
          : undefined,
      );
      return reopened;
    },
    async forceQuarantine(mailboxId, mail, decision) {
      await replaceAll(tables, mailboxId, [mail], (now) =>
        now.state === 'decided' ? { ...now, decision } : undefined,
      );
    },
    async complete(mailboxId, emails) {
      await replaceAll(tables, mailboxId, emails, (mail) =>
        mail.state === 'done' ? undefined : { ...mail, state: 'done' },
      );
    },
    async release(mailboxId, claimed) {
      const now = await emails(
        mailboxId,
        claimed.map(({ key }) => key),
      );
      const changes = claimed.flatMap(({ key, attempts }): Change[] => {
        const mail = now.get(key);
        if (mail?.etag === undefined || mail.state === 'done' || mail.attempts !== attempts) return [];
        const row = mailKind.toRow({ ...mail, mailboxId, attempts: attempts - 1 });
        return [{ kind: 'replace', row, etag: mail.etag }];
      });
      await ledger.commit(mailboxId, changes);
    },
  };
}

/**
 * Replaces rows together under their ETags. If one changed meanwhile,
 * all are read again and `change` runs again.
 */
async function replaceAll(
  tables: Tables,
  mailboxId: string,
  emails: readonly LedgerMail[],
  change: (mail: LedgerMail) => LedgerMail | undefined,
  shouldStop: (now: readonly LedgerMail[]) => boolean = () => false,
): Promise<LedgerMail[]> {
  let current = [...emails];
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const next = current.map((mail) => change(mail));
    const changing = next.flatMap((mail) => (mail === undefined ? [] : [mail]));
    const written = await tables.open('Ledger').commit(
      mailboxId,
      changing.map((mail) => ({
        kind: 'replace',
        row: mailKind.toRow({ mailboxId, ...mail }),
        etag: mail.etag ?? '',
      })),
    );
    if (written.ok) {
      const etags = new Map(changing.map((mail, index) => [mail.key, written.etags[index]]));
      return current.map((mail, index) => {
        const changed = next[index];
        return changed === undefined ? mail : { ...changed, etag: etags.get(mail.key) };
      });
    }
    const { emails: now } = await readEmails(
      tables,
      mailboxId,
      current.map(({ key }) => key),
    );
    current = current.map((mail) => now.get(mail.key) ?? mail);
    if (shouldStop(current)) return current;
  }
  throw busy(mailboxId);
}

const busy = (mailboxId: string): PostroomError =>
  new PostroomError(
    'ledger-busy',
    `The ledger of mailbox ${mailboxId} was changed by other runs ${TRIES} times in a row`,
  );
