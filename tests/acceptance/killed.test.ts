/**
 * A process that fetches is killed fifty times, at instants spread over its work, and always started again. Whatever
 * it left behind, every mail must in the end be there once, and no mail may ever be marked that is not stored.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HostProcess } from '../../dev/host/host-process.ts';
import { mailServerKindHere } from '../../dev/peers/mail/mail-server.ts';
import { mailOf, placeOf, placeOfRow } from '../../shared/intake/ledger.ts';
import { listAll } from '../../shared/platform/tables.ts';
import {
  breakLease,
  connectSupport,
  type Desk,
  fetchOnce,
  openDesk,
  SUPPORT,
  startFetch,
  type Watcher,
  watchInbox,
} from './desk.ts';
import { numberingOf, readRecords } from './desk-records.ts';
import { seeded } from './seeded.ts';
import { smallMails } from './small-mails.ts';
import { openStorageGate, type StorageGate } from './storage-gate.ts';

const KILLS = 50;
const MAILS_A_RUN = 3;
/** A run that is over before its instant comes is killed all the same. */
const LONGEST_RUN_MS = 4_000;
/** Where the product gives up on a mail: what died over it that often may be its fault. */
const GIVEN_UP = /^the app ended \d+ times while it worked on this mail$/;

describe('a process that is killed at any instant', () => {
  let desk: Desk;
  let gate: StorageGate;
  let mailboxId: string;
  let watcher: Watcher;

  beforeAll(async () => {
    desk = await openDesk(mailServerKindHere());
    mailboxId = await connectSupport(desk);
    gate = await openStorageGate(desk.stack.storage.connectionString);
    watcher = await watchInbox(desk);
  }, 120_000);
  afterAll(async () => {
    await watcher?.close();
    await desk?.[Symbol.asyncDispose]();
    await gate?.[Symbol.asyncDispose]();
  });

  const newHost = (): Promise<HostProcess> =>
    desk.startHost({ settings: { DataStorage: gate.connectionString } });

  async function markedButNotStored(): Promise<number[]> {
    const { seen, uidValidity } = await watcher.look();
    const numbering = await numberingOf(desk.tables, mailboxId, uidValidity);
    const rows = await listAll(desk.tables.open('Ledger'), mailboxId);
    const byKey = new Map(rows.map((row) => [row.rowKey, row]));
    return seen.filter((uid) => {
      const place = byKey.get(placeOf(numbering, uid));
      const mail = place && byKey.get(`mail|${placeOfRow(place).key}`);
      return mail === undefined || mailOf(mail).state !== 'done';
    });
  }

  /** Requests of a whole run over a few new mails, in a process that has just begun. */
  async function requestsOfOneRun(mails: readonly Buffer[]): Promise<number> {
    await desk.stack.mail.deliverMany(SUPPORT, mails);
    const before = gate.count();
    const host = await newHost();
    await fetchOnce(desk, host, mailboxId);
    await host.stop();
    return gate.count() - before;
  }

  async function killOnce(host: HostProcess, at: number, random: () => number): Promise<string> {
    const { promise: struck, resolve } = Promise.withResolvers<string>();
    gate.at(gate.count() + at, random() < 0.5 ? 'before' : 'after', resolve);
    await startFetch(host, mailboxId);
    const where = await Promise.race([struck, pause(LONGEST_RUN_MS, 'after its end')]);
    await pause(random() * 8);
    await host.kill();
    gate.forget();
    return where;
  }

  it('loses no mail, doubles none, and marks none that is not stored', async () => {
    const random = seeded(20_261_124);
    const mails = smallMails((KILLS + 1) * MAILS_A_RUN);
    const whole = await requestsOfOneRun(mails.slice(0, MAILS_A_RUN));
    const places = new Map<string, number>();
    let next = newHost();
    for (let kill = 1; kill <= KILLS; kill += 1) {
      await desk.stack.mail.deliverMany(SUPPORT, mails.slice(kill * MAILS_A_RUN, (kill + 1) * MAILS_A_RUN));
      const host = await next;
      next = newHost();
      // A run that finds what others left takes longer than the first one.
      const where = await killOnce(host, 1 + Math.floor(random() * whole * 1.2), random);
      places.set(where, (places.get(where) ?? 0) + 1);
      expect(await markedButNotStored(), `after kill ${kill}`).toEqual([]);
      await breakLease(desk.stack.storage.connectionString, mailboxId);
    }
    const host = await next;
    await fetchOnce(desk, host, mailboxId);
    await fetchOnce(desk, host, mailboxId);

    const { all, seen, uidValidity } = await watcher.look();
    const { connectionString } = desk.stack.storage;
    const { faults, fates } = await readRecords(desk.tables, connectionString, mailboxId, uidValidity, all);
    expect(faults).toEqual([]);
    expect(all).toHaveLength(mails.length);
    expect(seen).toEqual(all);
    const given = [...fates.values()].filter((fate) => fate?.kind === 'quarantined');
    expect(given.filter((fate) => fate?.kind !== 'quarantined' || !GIVEN_UP.test(fate.reason))).toEqual([]);
    console.log(
      `killed at: ${[...places].map(([place, times]) => `${place} ${times}`).join(', ')}; given up: ${given.length}`,
    );
    expect(places.size, 'the instants are spread over the work').toBeGreaterThan(8);
  }, 240_000);
});
