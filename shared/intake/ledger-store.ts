import { type MessageMeta, type MessageRef, sortedRefs } from '../mailboxes/message-ref.ts';
import { mapLimited } from '../platform/concurrency.ts';
import { PostroomError } from '../platform/errors.ts';
import type { Change, Row, Tables } from '../platform/tables.ts';
import {
  type Decision,
  isSameRef,
  type LedgerMail,
  type LedgerPlace,
  placeOf,
  placesOfRef,
  type RefScope,
  refOfPlace,
} from './ledger.ts';
import { mailKind, mailRowKey, placeKind } from './ledger-records.ts';
import { type Known, readEmails, readKnown, readPlaces } from './read-ledger.ts';

/** An email as found on the server: downloaded, stored as a raw blob, its content key computed. */
export interface Found {
  ref: MessageRef;
  place: string;
  key: string;
  rawBlob: string;
  receivedAt: string;
  size: number;
}

export interface Claim {
  /** Claimed by this run; attempts were increased. */
  mine: LedgerMail[];
  /** Places whose email is already known from another place. */
  copies: LedgerPlace[];
  /** Places whose email was completed by an earlier run. */
  completed: string[];
  /** Those of them whose email was deliberately not imported. */
  spared: string[];
  /** Started before and never completed: each must be claimed again alone. */
  suspects: Found[];
}

export interface ClaimOptions {
  /** Allows one suspect to be retried. */
  alone: boolean;
  /**
   * Places of all messages of this fetch. An email started at one of
   * these is continued there and nowhere else.
   */
  present: ReadonlySet<string>;
}

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

type Write = Exclude<Change, { kind: 'remove' }>;

/** Determines which rows a claim writes, given the known rows. Pure. */
function planClaim(
  mailboxId: string,
  found: readonly Found[],
  known: Known,
  { alone, present }: ClaimOptions,
): { claim: Claim; changes: Write[] } {
  const claim: Claim = { mine: [], copies: [], completed: [], spared: [], suspects: [] };
  const changes: Write[] = [];
  const seen = new Set<string>();
  const recordPlace = (place: LedgerPlace): void => {
    if (!known.places.has(place.place))
      changes.push({ kind: 'insert', row: placeKind.toRow({ mailboxId, ...place }) });
  };
  for (const each of found) {
    const { key, place } = each;
    const mail = known.emails.get(key);
    // The same email at the same ref, reported with another size or
    // time than before, is not a copy of itself.
    const isThere = mail !== undefined && isSameRef(mail.place, place);
    const elsewhere =
      seen.has(key) || (mail !== undefined && !isThere && (mail.state === 'done' || present.has(mail.place)));
    if (elsewhere) {
      recordPlace({ place, key, copy: true });
      claim.copies.push({ place, key, copy: true });
    } else if (mail === undefined) {
      const fresh = freshMail(each);
      const row = mailKind.toRow({ mailboxId, ...fresh });
      const inPlaceOf = known.unreadable.get(key);
      recordPlace({ place, key, copy: false });
      changes.push(
        inPlaceOf === undefined ? { kind: 'insert', row } : { kind: 'replace', row, etag: inPlaceOf },
      );
      claim.mine.push(fresh);
    } else if (mail.state === 'done') {
      recordPlace({ place, key, copy: false });
      claim.completed.push(place);
      if (mail.decision?.disposition === 'skip') claim.spared.push(place);
    } else if (alone && mail.etag !== undefined) {
      const again = { ...mail, attempts: mail.attempts + 1 };
      recordPlace({ place, key, copy: false });
      changes.push({ kind: 'replace', row: mailKind.toRow({ mailboxId, ...again }), etag: mail.etag });
      claim.mine.push(again);
    } else claim.suspects.push(each);
    seen.add(key);
  }
  return { claim, changes };
}

function freshMail({ key, place, rawBlob, receivedAt, size }: Found): LedgerMail {
  return {
    key,
    state: 'received',
    attempts: 1,
    place,
    rawBlob,
    receivedAt,
    size,
    decision: undefined,
    etag: undefined,
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
