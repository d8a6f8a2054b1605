/**
 * A fetching process is killed fifty times (over POP3 and Microsoft Graph ten times, unless `POSTROOM_KILLS=50`
 * asks for more), at instants spread over its work, and always restarted. Whatever it left
 * behind, every email must finally exist once, and no email may ever be marked that is not stored. The emails are five
 * hundred of many sources, hostile ones among them, if these are available; otherwise small generated ones.
 */
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mailServerKindHere } from '../../dev/emulators/mail/mail-server.ts';
import type { HostProcess } from '../../dev/host/host-process.ts';
import { mailKind, mailRowKey, placeKind } from '../../shared/intake/ledger-records.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { type FetchProtocol, fetchProtocols } from '../../shared/mailboxes/open-inbox.ts';
import { listAll } from '../../shared/platform/tables.ts';
import { corpusMail } from '../harness/memory/mail-files.ts';
import { seeded } from '../harness/memory/seeded.ts';
import { smallMails } from '../harness/memory/small-mails.ts';
import {
  breakLease,
  connectSupport,
  fetchOnce,
  openPostroom,
  type Postroom,
  SUPPORT,
  startFetch,
  type Watcher,
  watchInbox,
} from '../harness/stack/installation.ts';
import { chosenFiles } from './chosen-mails.ts';
import { placesIn, readRecords } from './installation-records.ts';
import { openStorageGate, type StorageGate } from './storage-gate.ts';

const MOST_KILLS = 50;
/** The protocols differ in how email is listed and fetched only; what is stored, and when, is the same code. */
const killsOver = (protocol: FetchProtocol): number =>
  protocol === 'imap' ? MOST_KILLS : Number(process.env['POSTROOM_KILLS'] ?? 10);
/** This share of the kills occurs at a storage request, the others after some milliseconds, wherever the process is then. */
const SHARE_AT_REQUESTS = 0.6;
const MAILS_A_RUN = 10;
/** What killed processes leave behind is cleared sometimes, or all later kills would occur at the first steps. */
const WHOLE_RUN_EACH = 3;
const CORPUS_MAILS = 500;
/** For a run without a kill, over emails that kept several parsers busy. */
const LONG_MS = 230_000;
/** A run that ends before its instant is killed anyway. */
const LONGEST_RUN_MS = 4_000;
/** Where the product abandons an email, because that many crashes may be its fault. */
const GIVEN_UP = /^the app stopped \d+ times while it processed this email$/;

describe.each(fetchProtocols)('a process over %s that is killed at any instant', (protocol) => {
  const kills = killsOver(protocol);
  let postroom: Postroom;
  let gate: StorageGate;
  let mailboxId: string;
  let watcher: Watcher;
  /** Number of emails so far; their UIDs count from 1. */
  let delivered = 0;

  beforeAll(async () => {
    postroom = await openPostroom(mailServerKindHere());
    mailboxId = await connectSupport(postroom, protocol);
    gate = await openStorageGate(postroom.stack.storage.connectionString);
    watcher = await watchInbox(postroom);
  });
  afterAll(async () => {
    await watcher?.close();
    await postroom?.[Symbol.asyncDispose]();
    await gate?.[Symbol.asyncDispose]();
  });

  const newHost = (): Promise<HostProcess> =>
    postroom.startHost({ settings: { DataStorage: gate.connectionString } });

  /** UIDs of the email that the server shows as imported: it is marked as read or, over POP3, deleted. */
  const importedOf = ({ all, seen }: { all: number[]; seen: number[] }): number[] => {
    if (protocol !== 'pop3') return seen;
    const there = new Set(all);
    return Array.from({ length: delivered }, (_, index) => index + 1).filter((uid) => !there.has(uid));
  };

  async function deliver(mails: readonly Buffer[]): Promise<void> {
    await postroom.stack.mail.deliverMany(SUPPORT, mails);
    delivered += mails.length;
  }

  async function markedButNotStored(): Promise<number[]> {
    const look = await watcher.look();
    const placesOf = await placesIn(postroom, mailboxId, look.uidValidity);
    const rows = await listAll(postroom.tables.open('Ledger'), mailboxId);
    const byKey = new Map(rows.map((row) => [row.rowKey, row]));
    return importedOf(look).filter((uid) => {
      const place = rows.find(({ rowKey }) => rowKey.startsWith(placesOf(uid)));
      const mail = place && byKey.get(mailRowKey(placeKind.fromRow(place).key));
      return mail === undefined || mailKind.fromRow(mail).state !== 'done';
    });
  }

  /** How long a whole run over a few new emails takes in a new process. */
  async function oneRun(mails: readonly Buffer[]): Promise<{ requests: number; ms: number }> {
    await deliver(mails);
    const host = await newHost();
    const [before, began] = [gate.count(), Date.now()];
    await fetchOnce(postroom, host, mailboxId, { limitMs: LONG_MS });
    const whole = { requests: gate.count() - before, ms: Date.now() - began };
    await host.stop();
    return whole;
  }

  const successOf = async (): Promise<string | undefined> =>
    (await createMailboxStore(postroom.tables).fetchState()).shards.get(0)?.get(mailboxId);

  /** Resolves once a run has succeeded, or has had its time. */
  async function endOfRun(before: string | undefined, over: AbortSignal): Promise<string> {
    const end = Date.now() + LONGEST_RUN_MS;
    while (!over.aborted && Date.now() < end && (await successOf()) === before) await pause(100);
    return 'after its end';
  }

  async function killAtRequest(host: HostProcess, at: number, random: () => number): Promise<string> {
    const { promise: struck, resolve } = Promise.withResolvers<string>();
    gate.at(gate.count() + at, random() < 0.5 ? 'before' : 'after', resolve);
    const before = await successOf();
    await startFetch(host, mailboxId);
    const over = new AbortController();
    const where = await Promise.race([struck, endOfRun(before, over.signal)]);
    over.abort();
    await pause(random() * 8);
    await host.kill();
    gate.forget();
    return where;
  }

  async function killAtTime(host: HostProcess, ms: number): Promise<string> {
    await startFetch(host, mailboxId);
    await pause(Math.min(ms, LONGEST_RUN_MS));
    await host.kill();
    return 'at a millisecond';
  }

  /** Attempts of the emails that are begun and not done, by content key. */
  async function begun(): Promise<Map<string, number>> {
    const rows = await listAll(postroom.tables.open('Ledger'), mailboxId, { from: 'mail|', to: 'mail|~' });
    const open = rows.map(mailKind.fromRow).filter(({ state }) => state !== 'done');
    return new Map(open.map(({ key, attempts }) => [key, attempts]));
  }

  it('loses no email, duplicates none, and marks none that is not stored', async () => {
    const random = seeded(20_261_124);
    const mails = allMails(kills, random);
    const whole = await oneRun(mails.slice(0, MAILS_A_RUN));
    const atRequests = shuffled(
      Array.from({ length: kills }, (_, index) => index < kills * SHARE_AT_REQUESTS),
      random,
    );
    const places = new Map<string, number>();
    let known = await begun();
    let next = newHost();
    for (const [index, atRequest] of atRequests.entries()) {
      const kill = index + 1;
      const host = await next;
      next = newHost();
      if (kill % WHOLE_RUN_EACH === 0) {
        await fetchOnce(postroom, host, mailboxId, { limitMs: LONG_MS });
        known = await begun();
      }
      await deliver(mails.slice(kill * MAILS_A_RUN, (kill + 1) * MAILS_A_RUN));
      // A run that finds leftovers of others takes longer than the first one.
      const part = random() * 1.2;
      const where = atRequest
        ? await killAtRequest(host, 1 + Math.floor(part * whole.requests), random)
        : await killAtTime(host, part * whole.ms);
      places.set(where, (places.get(where) ?? 0) + 1);
      expect(await markedButNotStored(), `after kill ${kill}`).toEqual([]);
      const left = await begun();
      const blamed = [...left].filter(([key, attempts]) => attempts > (known.get(key) ?? attempts));
      // An email begun before is processed alone, so that a crash counts against one email only.
      expect(blamed.length, `emails blamed for kill ${kill}`).toBeLessThanOrEqual(1);
      known = left;
      await breakLease(postroom.stack.storage.connectionString, mailboxId);
    }
    const host = await next;
    await fetchOnce(postroom, host, mailboxId, { limitMs: LONG_MS });
    await fetchOnce(postroom, host, mailboxId, { limitMs: LONG_MS });

    const look = await watcher.look();
    const all = Array.from({ length: delivered }, (_, index) => index + 1);
    const { faults, dispositions } = await readRecords(postroom, mailboxId, look.uidValidity, all);
    expect(faults).toEqual([]);
    expect(all).toHaveLength(mails.length);
    const imported = new Set(importedOf(look));
    const open = all.filter((uid) => !imported.has(uid));
    // What was deliberately not imported stays on the server over POP3, which has no other mark for it.
    if (protocol !== 'pop3') expect(open).toEqual([]);
    else expect(open.filter((uid) => dispositions.get(uid)?.kind !== 'skipped')).toEqual([]);
    const kept = all.flatMap((uid, index) => {
      const disposition = dispositions.get(uid);
      return disposition?.kind === 'quarantined' ? [{ reason: disposition.reason, raw: mails[index] }] : [];
    });
    const abandoned = kept.filter(({ reason }) => GIVEN_UP.test(reason));
    console.log(
      `killed at: ${[...places].map(([place, times]) => `${place} ${times}`).join(', ')}; given up: ${abandoned.length}, otherwise kept: ${kept.length - abandoned.length}`,
    );
    const hostile = hostileMails();
    const others = kept.filter(({ reason, raw }) => !GIVEN_UP.test(reason) && !hostile.has(hashOf(raw)));
    expect(others).toEqual([]);
    // An email may share the first of its three crashes with its batch; each of the others is a separate kill.
    expect(abandoned.length).toBeLessThanOrEqual(kills / 2);
    expect(places.size, 'the instants are spread over the work').toBeGreaterThan(Math.min(8, kills / 3));
  }, 500_000);
});

/** Enough for each kill and the run before them, in an order that mixes their sources. */
function allMails(kills: number, random: () => number): Buffer[] {
  const count = (kills + 1) * MAILS_A_RUN;
  const files = shuffled(chosenFiles(CORPUS_MAILS), random).slice(0, count);
  return [...files.map(corpusMail), ...smallMails(count - files.length)];
}

function hostileMails(): Set<string> {
  const files = chosenFiles(CORPUS_MAILS).filter((path) => path.startsWith('hostile/'));
  return new Set(files.map((path) => hashOf(corpusMail(path))));
}

const hashOf = (raw: Buffer | undefined): string =>
  createHash('sha256')
    .update(raw ?? '')
    .digest('hex');

/** Fisher–Yates shuffle. */
function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const mixed = [...items];
  for (let index = mixed.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1));
    [mixed[index], mixed[other]] = [mixed[other] as T, mixed[index] as T];
  }
  return mixed;
}
